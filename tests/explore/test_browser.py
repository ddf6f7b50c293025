"""The page of bioreason explore in a real browser: Chromium, if this machine has one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import Browser, find_browser
from explore_pages import data_of, make_hostile, write_answers, write_small_audit

from bioreason_bench.escaping import visible
from bioreason_bench.explore import write_page
from bioreason_bench.release.read import Release

pytestmark = pytest.mark.skipif(not find_browser(), reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def chromium():
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium) -> Browser:
    """The browser with a window of a laptop's size, in light colours, without any memory."""
    chromium.size(1200, 800)
    chromium.prefer("light")
    chromium.problems.clear()
    return chromium


@pytest.fixture(scope="module")
def page(tiny_release, tmp_path_factory) -> Path:
    """A page with an audit and a model's answers."""
    folder = tmp_path_factory.mktemp("explored")
    release = Path(shutil.copytree(tiny_release, folder / "tiny"))
    write_small_audit(release)
    write_answers(release, folder / "run", "comp_zeroshot", 12)
    write_page(Release(release), folder / "tiny.html", folder / "run")
    return folder / "tiny.html"


def views(data: dict) -> list[str]:
    """An address of every view."""
    question = next(one for one in data["questions"] if one["context"])
    return [
        "",
        f"p/{quote(data['people'][3])}",
        f"v/{quote(data['values'][5])}",
        f"q/{question['id']}",
        "s/an",
        "questions/comp_zeroshot/all/1",
        "audit",
        "results",
    ]


def shown(browser: Browser, selector: str) -> str:
    return browser.run(f"document.querySelector({json.dumps(selector)}).textContent")


def test_every_view_opens_without_a_request_or_an_error(browser, page):
    seconds = browser.open(page)
    assert seconds < 5
    texts = []
    for address in views(data_of(page)):
        browser.go(address)
        texts.append(browser.text())
    assert len(set(texts)) == len(texts)
    assert not any("Not found" in text or "undefined" in text for text in texts)
    assert browser.requests == [page.as_uri()]
    assert browser.problems == []


def test_a_person_has_both_biographies_and_names_are_links(browser, page):
    data = data_of(page)
    person = next(
        index
        for index, text in enumerate(data["biographies"]["parametric"])
        if text and data["biographies"]["contextual"][index]
    )
    browser.open(page, f"#p/{quote(data['people'][person])}")
    for group in ("parametric", "contextual"):
        text = shown(browser, f".biography[data-group={group}]")
        assert text == data["biographies"][group][person]
    links = browser.run("[...document.querySelectorAll('.biography a')].map(a => a.textContent)")
    assert set(links) <= set(data["people"])
    assert links
    browser.run("document.querySelector('.biography a').click()")
    browser.wait_for(f"document.querySelector('h1').textContent === {json.dumps(links[0])}")
    assert browser.run("document.querySelectorAll('svg a').length") > 5
    browser.run("history.back()")
    browser.wait_for(
        f"document.querySelector('h1').textContent === {json.dumps(data['people'][person])}"
    )


def test_a_question_shows_its_hops_with_the_sentences_and_the_answers(browser, page):
    data = data_of(page)
    question = next(one for one in data["questions"] if data["answers"].get(one["id"]))
    (answer,) = data["answers"][question["id"]]
    browser.open(page, f"#q/{question['id']}")
    assert shown(browser, "h1") == question["question"]
    assert shown(browser, "#answer") == question["answer"]
    badges = browser.run("[...document.querySelectorAll('.badge')].map(one => one.textContent)")
    assert badges == ["RECALL" if letter == "P" else "READ" for letter in question["pattern"]]
    hops = browser.run("[...document.querySelectorAll('.hops li')].map(one => one.textContent)")
    for hop, text in zip(question["hops"], hops, strict=True):
        assert hop["text"] in text
    marks = browser.run("[...document.querySelectorAll('mark')].map(one => one.textContent)")
    for number, hop in enumerate(question["hops"], 1):
        if hop["printed"]:
            assert f"hop {number}: {hop['printed']}" in marks
    assert answer["exact_match"] == 0
    assert "✗ wrong" in browser.text()
    assert "<b>Nobody & Nothing</b>" in shown(browser, "pre")


def test_the_audit_shows_solvers_next_to_chance_and_broken_laws(browser, page):
    browser.open(page, "#audit")
    text = browser.text()
    assert "14.3 (25.0)" in text
    assert "✗ relations" in text
    assert "first: data/relations: the <b>relations</b> differ" in text
    assert "✓ unique names" in text


def test_the_page_can_be_used_with_the_keyboard_alone(browser, page):
    data = data_of(page)
    browser.open(page)
    name = data["people"][7]
    browser.press("/", name[:4])
    browser.wait_for("document.querySelectorAll('#suggestions a').length > 0")
    browser.press("ArrowDown", "ArrowDown", "ArrowUp")
    first = browser.run("document.activeElement.firstChild.textContent")
    browser.press("Enter")
    browser.wait_for(f"document.querySelector('h1').textContent === {json.dumps(first)}")
    assert browser.run("document.activeElement.tagName") == "H1"
    browser.press("Tab")
    assert browser.run("document.activeElement.closest('main') !== null")
    for _ in range(2):  # also where one is already
        browser.press("/", name, "Enter")
        browser.wait_for(f"document.querySelector('h1').textContent === {json.dumps(name)}")
        browser.wait_for("document.activeElement.tagName === 'H1'")
    browser.press("/", name[:4])
    browser.wait_for("!document.getElementById('suggestions').hidden")
    browser.press("Escape")
    assert browser.run("document.getElementById('suggestions').hidden")
    reachable = "[...document.querySelectorAll('main a, main button, main select')]"
    assert browser.run(f"{reachable}.every(one => one.tabIndex >= 0)")


def test_nothing_is_wider_than_a_phone(browser, page):
    browser.size(390, 844)
    browser.open(page)
    for address in views(data_of(page)):
        browser.go(address)
        assert browser.run("document.documentElement.scrollWidth") == 390, address
    browser.go(views(data_of(page))[1])
    narrow = browser.run("document.querySelector('#graph svg').viewBox.baseVal.width")
    assert narrow == browser.run("document.getElementById('graph').clientWidth")


def test_light_and_dark_follow_the_system_until_they_are_chosen(browser, page):
    browser.open(page)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.prefer("dark")
    dark = browser.run(paper)
    assert light != dark
    browser.run("document.getElementById('theme').click()")
    assert browser.run(paper) == light
    browser.open(page)
    assert browser.run(paper) == light, "the choice is kept"
    browser.run("document.getElementById('theme').click()")
    browser.prefer("light")
    assert browser.run(paper) == dark
    browser.run("document.getElementById('theme').click()")
    assert browser.run(paper) == light


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_have_enough_contrast(browser, page, theme):
    """At least 4.5 to 1 between each colour of text and both backgrounds (WCAG AA)."""
    browser.prefer(theme)
    browser.open(page)
    colours = browser.run(
        """["ink", "faint", "link", "recall", "read", "good", "bad", "paper", "panel", "mark"].map(
        name => { const one = document.createElement("i"); one.className = "probe";
        document.body.append(one); one.style.color = `var(--${name})`;
        return [name, getComputedStyle(one).color]; })"""
    )
    values = {name: [int(part) for part in text[4:-1].split(",")] for name, text in colours}

    def luminance(colour):
        parts = [part / 255 for part in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one, other):
        dark, light = sorted((luminance(values[one]), luminance(values[other])))
        return (light + 0.05) / (dark + 0.05)

    for name in ("ink", "faint", "link", "recall", "read", "good", "bad"):
        for paper in ("paper", "panel"):
            assert contrast(name, paper) >= 4.5, (name, paper)
    for name in ("ink", "link"):
        assert contrast(name, "mark") >= 4.5, name


@pytest.mark.parametrize(
    "address",
    ["p/Nobody%20Here", "q/no-such-id", "v/nothing", "p/%E0%A4%A", "nowhere/at/all", "constructor"],
)
def test_an_address_of_nothing_says_so(browser, page, address):
    browser.open(page, f"#{address}")
    assert "Not found" in browser.text()
    assert browser.problems == []


def test_search_finds_people_values_and_questions_without_their_accents(browser, page):
    data = data_of(page)
    name = next(name for name in data["people"] if not name.isascii())
    import unicodedata

    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", name).lower()
        if not unicodedata.combining(letter)
    )
    browser.open(page, f"#s/{quote(plain)}")
    assert name in browser.text()
    value = data["values"][5]
    browser.go(f"s/{quote(value[1:])}")
    assert value in browser.text()
    question = data["questions"][9]
    browser.go(f"s/{quote(question['id'])}")
    assert question["question"] in browser.text()


def test_names_of_a_release_are_never_obeyed(browser, tiny_release, tmp_path):
    """Names that hold HTML are shown as they are, in every view, and nothing of them runs."""
    hostile = Path(shutil.copytree(tiny_release, tmp_path / "hostile"))
    person, value, question = make_hostile(hostile)
    write_page(Release(hostile), tmp_path / "hostile.html")
    value = visible(value)
    browser.open(tmp_path / "hostile.html")
    for address in (
        "",
        f"p/{quote(person, safe='')}",
        f"v/{quote(value, safe='')}",
        f"q/{question}",
        f"s/{quote('script', safe='')}",
        "questions/comp_iid/all/1",
    ):
        browser.go(address)
        text = browser.text()
        assert "Not found" not in text
        if address.startswith(("p/", "q/")):
            assert person in text
        if address.startswith(("v/", "q/")):
            assert value in text
        assert browser.run("window.hacked") is None
        assert browser.run("document.querySelectorAll('img, main script').length") == 0
    browser.go(f"q/{question}")
    names = browser.run("[...document.querySelectorAll('main a')].map(one => one.textContent)")
    assert person in names
    assert value in names
    assert browser.requests == [(tmp_path / "hostile.html").as_uri()]
    assert browser.problems == []


def test_a_world_of_symbols_has_links_in_its_texts_too(browser, nano_release, tmp_path):
    write_page(Release(nano_release), tmp_path / "nano.html", questions=60)
    browser.open(tmp_path / "nano.html", "#p/p1")
    links = browser.run("[...document.querySelectorAll('.biography a')].map(a => a.textContent)")
    assert len(links) > 5
    assert all(link.startswith("p") for link in links)
    assert browser.problems == []
