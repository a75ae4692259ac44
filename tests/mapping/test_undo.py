"""Taking back changes of the rules' tables: additions go, deleted rows come back with their components, values return."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from mapping.models import FieldOwner, IdentityRule, MaskingRule, SkuComponent, SkuCrosswalk, ValueCrosswalk
from mapping.undo import CannotUndo, latest_changes, undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(shop: Any, ometria: Any) -> SkuCrosswalk:
    row = SkuCrosswalk.objects.create(source=shop, destination=ometria, source_sku="SET-1", note="gift set")
    for sku, quantity in (("SOAP", 2), ("DISH", 1)):
        SkuComponent.objects.create(crosswalk=row, target_sku=sku, quantity=quantity)
    return row


def last(model: Any) -> Any:
    return latest_changes(model, 10)[0]


def parts() -> list[tuple[str, str, int]]:
    rows = SkuComponent.objects.order_by("target_sku")
    return list(rows.values_list("crosswalk__source_sku", "target_sku", "quantity"))


def test_a_deleted_row_comes_back_with_its_components_and_says_who_brought_it(bundle: SkuCrosswalk, staff: Any):
    key = bundle.pk
    bundle.delete()

    assert undo(last(SkuCrosswalk), staff) == "SET-1 is back."

    assert (SkuCrosswalk.objects.get().pk, SkuCrosswalk.objects.get().note) == (key, "gift set")
    assert parts() == [("SET-1", "DISH", 1), ("SET-1", "SOAP", 2)]
    newest = SkuCrosswalk.history.order_by("-history_id").first()
    assert (newest.history_type, newest.history_user, newest.history_change_reason) == ("+", staff, "Taken back")


def test_a_changed_row_gets_its_values_and_its_components_back(bundle: SkuCrosswalk, staff: Any):
    bundle.note = "other"
    bundle.save()
    bundle.components.get(target_sku="DISH").delete()
    SkuComponent.objects.create(crosswalk=bundle, target_sku="TRAY")

    undo(last(SkuCrosswalk), staff)

    assert (SkuCrosswalk.objects.get().note, parts()) == ("gift set", [("SET-1", "DISH", 1), ("SET-1", "SOAP", 2)])


def test_an_added_row_goes_again(staff: Any):
    ValueCrosswalk.objects.create(name="s", source_value="a", target_value="b")

    assert (undo(last(ValueCrosswalk), staff), ValueCrosswalk.objects.exists()) == ("s: a → b is gone again.", False)


def test_only_the_last_change_of_a_row_is_taken_back(staff: Any):
    row = ValueCrosswalk.objects.create(name="s", source_value="a", target_value="b")
    row.target_value = "c"
    row.save()
    newest, oldest = latest_changes(ValueCrosswalk, 10)
    assert (newest.undoable, oldest.undoable, newest.earlier.history_id, oldest.earlier) == (True, False, oldest.history_id, None)

    with pytest.raises(CannotUndo, match="changed again since"):
        undo(oldest, staff)
    undo(newest, staff)

    assert ValueCrosswalk.objects.get().target_value == "b"


def test_a_deleted_row_does_not_come_back_beside_one_that_took_its_place(staff: Any):
    ValueCrosswalk.objects.create(name="s", source_value="a", target_value="b").delete()
    gone = last(ValueCrosswalk)
    ValueCrosswalk.objects.create(name="s", source_value="a", target_value="c")

    with pytest.raises(CannotUndo, match="already exists"):
        undo(gone, staff)

    assert ValueCrosswalk.objects.get().target_value == "c"


TABLES = {SkuCrosswalk: "skucrosswalk", ValueCrosswalk: "valuecrosswalk", IdentityRule: "identityrule", MaskingRule: "maskingrule",
          FieldOwner: "fieldowner"}  # fmt: skip


@pytest.mark.parametrize("model", TABLES, ids=TABLES.values())
def test_every_table_of_rules_shows_its_changes(model: Any, admin_client: Any):
    page = admin_client.get(reverse(f"admin:mapping_{TABLES[model]}_way_back"))

    assert (page.status_code, "Latest changes of" in page.content.decode()) == (200, True)


def test_the_page_of_changes_says_who_did_what_and_takes_it_back(admin_client: Any, admin_user: Any, django_assert_max_num_queries: Any):
    rows = [ValueCrosswalk(name="s", source_value=f"word {number}", target_value="b") for number in range(20)]
    for row in rows:
        row._history_user = admin_user
        row.save()
        row.target_value = "c"
        row.save()
    address = reverse("admin:mapping_valuecrosswalk_way_back")

    with django_assert_max_num_queries(15):
        page = admin_client.get(address).content.decode()
    assert ("target value: b → c" in page, page.count("Take back")) == (True, 20)

    undo_url = reverse("admin:mapping_valuecrosswalk_undo", args=[last(ValueCrosswalk).history_id])
    assert admin_client.get(undo_url).status_code == 405
    assert "Taken back. s: word 19 → b is as it was before." in admin_client.post(undo_url, follow=True).content.decode()
    assert ValueCrosswalk.history.order_by("-history_id").first().history_user == admin_user


def test_people_who_may_not_change_a_table_take_nothing_back(client: Any):
    from tests.rows import make_person

    ValueCrosswalk.objects.create(name="s", source_value="a", target_value="b")
    client.force_login(make_person("ecommerce"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:mapping_valuecrosswalk_way_back")).content.decode()

    refused = client.post(reverse("admin:mapping_valuecrosswalk_undo", args=[last(ValueCrosswalk).history_id]))

    assert ("Take back" in page, refused.status_code, ValueCrosswalk.objects.count()) == (False, 403, 1)
