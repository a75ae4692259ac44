"""The page where a seller agrees: both forms of its link, and where it sends the browser afterwards."""

from html import escape
from urllib.parse import parse_qsl, urlencode

from integrations.standins.tiktok_shop.specs import AppSpec, SellerSpec
from integrations.standins.wire import Request, Response

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Authorise {service}</title></head>
<body><h1>Authorise {service}</h1><p>This is a stand-in for the seller's consent page.</p>
<form method="post"><input type="hidden" name="state" value="{state}">
<label>Seller <select name="seller">{sellers}</select></label>
<button name="agree" value="yes">Authorise</button> <button name="agree" value="no">Decline</button></form></body></html>"""
HTML = {"Content-Type": "text/html; charset=utf-8"}


def wanted_app(request: Request, app: AppSpec) -> bool:
    """Whether a consent link names the app, by service id or (older form) by app key."""
    query = request.query
    return query.get("service_id") == app.service_id or query.get("app_key") == app.app_key


def page(request: Request, app: AppSpec, sellers: list[SellerSpec]) -> Response:
    """The form; without an app of that name or an address to return to, a refusal."""
    if not wanted_app(request, app) or not app.redirect_uri:
        return Response(400, b"<!DOCTYPE html><title>Unknown app</title><p>Unknown service, or it has no redirect URL.</p>", HTML)
    options = "".join(f'<option value="{escape(seller.open_id)}">{escape(seller.name)}</option>' for seller in sellers)
    text = PAGE.format(service=escape(app.service_id), state=escape(request.query.get("state", "")), sellers=options)
    return Response(200, text.encode(), HTML)


def form_of(request: Request) -> dict[str, str]:
    """What the form was sent with."""
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def return_address(app: AppSpec, seller: SellerSpec, *, code: str, state: str) -> str:
    """Where the browser goes with a code."""
    values = {"app_key": app.app_key, "code": code, "locale": "en", "shop_region": seller.base_region, "state": state}
    return f"{app.redirect_uri}{'&' if '?' in app.redirect_uri else '?'}{urlencode(values)}"


def declined_address(app: AppSpec, state: str) -> str:
    """Where the browser goes when the seller says no."""
    return f"{app.redirect_uri}{'&' if '?' in app.redirect_uri else '?'}{urlencode({'error': 'access_denied', 'state': state})}"
