"""Pages of the crosswalks: who may do what, and spreadsheets through the browser's door."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mapping.models import FieldOwner, IdentityRule, MaskingRule, SkuCrosswalk, ValueCrosswalk

pytestmark = pytest.mark.django_db
MODELS = ["skucrosswalk", "valuecrosswalk", "identityrule", "maskingrule", "fieldowner"]
CSV = "source,destination,source_sku,action,target_sku,quantity,share,note\nDemo shop,Demo Ometria,TEE,map,T-1,1,,\n"


@pytest.fixture
def sign_in(client, staff):
    def run(*permissions):
        staff.is_staff = True
        staff.save()
        staff.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="mapping"))
        client.force_login(staff)
        return client

    return run


@pytest.fixture
def rows(flow):
    for number in range(3):
        row = SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku=f"SKU-{number}")
        for part in range(number):
            row.components.create(target_sku=f"T-{number}-{part}", quantity=part + 1)
        ValueCrosswalk.objects.create(name="status", source_value=str(number), target_value="x")
    IdentityRule.objects.create(destination=flow.destination, position=1, key="email")
    MaskingRule.objects.create(field="email", how="domain", pattern="relay.example.com")
    FieldOwner.objects.create(destination=flow.destination, target="firstname", owner=flow.source)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["changelist", "add", "import", "export"])
def test_every_page_opens_for_those_who_may(sign_in, rows, model, page):
    client = sign_in(*(f"{right}_{model}" for right in ("view", "add", "change", "delete")), "view_skucomponent")
    assert client.get(reverse(f"admin:mapping_{model}_{page}")).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("rights", "page", "status"),
    [(["view"], "changelist", 200), (["view"], "export", 200), (["view"], "import", 403), (["view", "change"], "import", 403),
     (["view", "change"], "add", 403), ([], "changelist", 403), ([], "export", 403)],
)  # fmt: skip
def test_rights_are_the_models_own(sign_in, rows, model, rights, page, status):
    client = sign_in(*(f"{right}_{model}" for right in rights))
    assert client.get(reverse(f"admin:mapping_{model}_{page}")).status_code == status


@pytest.mark.parametrize("model", MODELS)
def test_a_row_has_its_page_and_its_history(sign_in, rows, model):
    client = sign_in(f"view_{model}", f"change_{model}", f"view_historical{model}", f"change_historical{model}")
    tables = (SkuCrosswalk, ValueCrosswalk, IdentityRule, MaskingRule, FieldOwner)
    key = {table._meta.model_name: table for table in tables}[model].objects.first().pk
    assert [client.get(reverse(f"admin:mapping_{model}_{page}", args=[key])).status_code for page in ("change", "history")] == [200, 200]


def test_the_list_says_what_each_sku_becomes_in_a_fixed_number_of_queries(sign_in, rows, flow, django_assert_max_num_queries):
    client = sign_in("view_skucrosswalk", "change_skucrosswalk")
    for number in range(30):
        row = SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku=f"MORE-{number}")
        row.components.create(target_sku=f"M-{number}")
    with django_assert_max_num_queries(16):
        page = client.get(reverse("admin:mapping_skucrosswalk_changelist")).content.decode()
    assert all(text in page for text in ("nothing yet", "T-1-0", "T-2-0 + 2 × T-2-1", "M-29"))


@pytest.mark.parametrize(("chosen", "found"), [("one", ["SKU-1"]), ("several", ["SKU-2"]), ("nothing", ["SKU-0"])])
def test_rows_can_be_filtered_by_what_they_lead_to(sign_in, rows, chosen, found):
    client = sign_in("view_skucrosswalk")
    page = client.get(reverse("admin:mapping_skucrosswalk_changelist"), {"leads_to": chosen})
    assert [row.source_sku for row in page.context["cl"].result_list] == found


def test_many_skus_can_be_let_through_at_once(sign_in, rows, staff):
    client = sign_in("view_skucrosswalk", "change_skucrosswalk")
    keys = list(SkuCrosswalk.objects.values_list("pk", flat=True)[:2])
    client.post(reverse("admin:mapping_skucrosswalk_changelist"), {"action": "let_through", "_selected_action": keys})
    assert set(SkuCrosswalk.objects.filter(action="ignore").values_list("pk", flat=True)) == set(keys)
    assert SkuCrosswalk.history.filter(action="ignore", history_user=staff).count() == 2


def test_a_sheet_is_shown_before_it_is_written(sign_in, flow, staff):
    client = sign_in("view_skucrosswalk", "add_skucrosswalk", "change_skucrosswalk")
    address = reverse("admin:mapping_skucrosswalk_import")
    page = client.post(address, {"format": "0", "resource": "0", "import_file": SimpleUploadedFile("s.csv", CSV.encode(), "text/csv")})
    assert page.status_code == 200
    assert not SkuCrosswalk.objects.exists()
    confirm = page.context["confirm_form"]
    client.post(reverse("admin:mapping_skucrosswalk_process_import"), confirm.initial)
    assert [str(c) for c in SkuCrosswalk.objects.get(source_sku="TEE").components.all()] == ["1 × T-1"]
    assert SkuCrosswalk.history.get().history_user == staff


def test_words_can_be_changed_in_the_list(sign_in, rows):
    client = sign_in("view_valuecrosswalk", "change_valuecrosswalk")
    first = ValueCrosswalk.objects.get(source_value="0")
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": first.pk, "form-0-target_value": "done", "_save": "Save"}
    client.post(reverse("admin:mapping_valuecrosswalk_changelist") + "?q=0", form)
    first.refresh_from_db()
    assert first.target_value == "done"
