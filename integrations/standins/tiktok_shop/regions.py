"""What differs between the markets: currency, telephone code, alias domain, tax, and who may cancel single lines."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """One market; ``rate`` turns catalogue pounds into its currency, ``tax`` is added to prices in parts per thousand (0 = included)."""

    code: str
    country: str
    currency: str
    # decimal places of an amount (ISO 4217)
    exponent: int
    dialling: str
    alias_domain: str
    rate: float
    tax: int = 0
    # partial cancellation: US and UK only
    cancels_lines: bool = False
    # fixed fee per delivered order, in minor units (US)
    delivery_fee: int = 0
    utc_offset: int = 0


REGIONS = {
    region.code: region
    for region in (
        Region("GB", "United Kingdom", "GBP", 2, "44", "scs.tiktokw.eu", 1.0, cancels_lines=True),
        Region("DE", "Germany", "EUR", 2, "49", "scs.tiktokw.eu", 1.15, utc_offset=1),
        Region("FR", "France", "EUR", 2, "33", "scs.tiktokw.eu", 1.15, utc_offset=1),
        Region("JP", "Japan", "JPY", 0, "81", "chat.seller.tiktok.com", 190.0, utc_offset=9),
        Region("US", "United States", "USD", 2, "1", "scs.tiktokw.us", 1.25, tax=70, cancels_lines=True, delivery_fee=28, utc_offset=-5),
    )
}
