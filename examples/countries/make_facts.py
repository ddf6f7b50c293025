"""Write facts.csv and names.csv from data that two PyPI packages ship.

    pip install countryinfo==1.0.1 babel==2.18.0
    python make_facts.py

Borders, areas, populations, capitals, calling codes and internet domains are those of countryinfo
(MIT licence, Porimol Chandro).  Official languages and currencies are those of the Unicode CLDR
(Unicode licence) in Babel (BSD licence).  Some of countryinfo's numbers are several years old.

The countries are those of Europe, Africa and the American mainland with a land border.
"""

import csv
import json
from importlib.metadata import version
from importlib.resources import files
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

from babel import Locale
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

HERE = Path(__file__).parent
CONTINENTS = ("Europe", "Africa", "Americas")
LEFT_OUT = {"ESH", "FRA-GUF", "GIB", "GUF", "SCG", "UNK", "VAT"}  # no states of today
NAMES = {
    "BIH": "Bosnia-Herzegovina",
    "CIV": "Ivory Coast",
    "COD": "Congo-Kinshasa",
    "COG": "Congo-Brazzaville",
    "GMB": "Gambia",
    "MKD": "North Macedonia",
    "SWZ": "Eswatini",
    "TZA": "Tanzania",
}
CAPITALS = {"BDI": "Gitega", "SWZ": "Mbabane", "USA": "Washington"}
ENGLISH = Locale("en")


def read_countries() -> dict[str, dict]:
    """Alpha-3 code -> country, for those with a land border on its own continent."""
    countries = {}
    for file in files("countryinfo").joinpath("data").glob("*.json"):
        country = json.loads(file.read_text(encoding="utf-8"))
        code = country.get("ISO", {}).get("alpha3", "")
        if country.get("region") in CONTINENTS and code not in LEFT_OUT and country.get("borders"):
            countries[code] = country
    borders = {
        frozenset((one, other))
        for one in countries
        for other in countries[one]["borders"]
        if other in countries and countries[one]["region"] == countries[other]["region"]
    }
    for code, country in countries.items():
        country["neighbors"] = sorted(
            other for pair in borders if code in pair for other in pair - {code}
        )
    return {code: countries[code] for code in sorted(countries) if countries[code]["neighbors"]}


def distance(one: dict, other: dict) -> float:
    """Kilometres between two capitals, on a sphere."""
    a, b, c, d = map(radians, (*one["capital_latlng"], *other["capital_latlng"]))
    return 12742 * asin(sqrt(sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2))


def facts_of(code: str, countries: dict[str, dict]):
    """Yield (relation, object) of a country; relations between countries stay on a continent."""
    country = countries[code]
    alpha2 = country["ISO"]["alpha2"]
    near = country["neighbors"]
    others = [
        other
        for other in countries
        if other != code and countries[other]["region"] == country["region"]
    ]

    def most(codes, key, sign=1):
        return max(codes, key=lambda other: (sign * key(countries[other]), other))

    def area(one):
        return one["area"]

    def people(one):
        return one["population"]

    yield "capital", capital(country)
    yield "language", official_language(alpha2)
    yield "currency", ENGLISH.currencies[get_territory_currencies(alpha2)[0]]
    yield "calling_code", "+" + country["callingCodes"][0].replace(" ", "")
    yield "domain", country["tld"][0]
    yield "largest_neighbor", most(near, area)
    yield "least_populous_neighbor", most(near, people, -1)
    yield "northernmost_neighbor", most(near, lambda one: one["capital_latlng"][0])
    yield "easternmost_neighbor", most(near, lambda one: one["capital_latlng"][1])
    yield "nearest_capital", most(others, lambda one: distance(country, one), -1)
    yield "farthest_capital", most(others, lambda one: distance(country, one))
    for relation, key in (
        ("next_larger", lambda other: (countries[other]["area"], other)),
        ("next_more_populous", lambda other: (countries[other]["population"], other)),
        ("next_in_alphabet", lambda other: name(other, countries[other])),
    ):
        if above := [other for other in others if key(other) > key(code)]:
            yield relation, min(above, key=key)


def official_language(alpha2: str) -> str:
    """The first official language, in English."""
    codes = get_official_languages(alpha2) or get_official_languages(alpha2, de_facto=True)
    return ENGLISH.languages[codes[0].partition("_")[0]]


def name(code: str, country: dict) -> str:
    return NAMES.get(code, country["name"])


def capital(country: dict) -> str:
    """The capital; a city state's with "City", because a text must not name two things."""
    text = CAPITALS.get(country["ISO"]["alpha3"], country["capital"])
    return f"{text} City" if text == country["name"] else text


def main() -> None:
    countries = read_countries()
    with (HERE / "names.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "name"])
        writer.writerows((code, name(code, country)) for code, country in countries.items())
    with (HERE / "facts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "relation", "object"])
        for code in countries:
            writer.writerows((code, *fact) for fact in facts_of(code, countries))
    print(f"{len(countries)} countries, from countryinfo {version('countryinfo')}")


if __name__ == "__main__":
    main()
