"""What every page shares."""

from playwright.sync_api import Page, expect


def test_an_unknown_page_says_so_and_leads_back(page: Page, faults: list[str]) -> None:
    page.goto("/nowhere/")
    expect(page.get_by_role("heading", name="ページが見つかりません")).to_be_visible()
    expect(page.get_by_role("link", name="はじめのページへ")).to_be_visible()
    assert [fault for fault in faults if "404" not in fault] == []
    faults.clear()
