"""Istio's Bookinfo (istio.io, examples/bookinfo): what its services answer and whom they ask."""

from __future__ import annotations

import json

import pytest

from .lab import Lab

ISTIO = "docker.io/istio/examples-bookinfo-"


def begun(*names: str) -> Lab:
    """The services named, each of one version (reviews-v2), under the names by which the others ask for them."""
    lab = Lab(1)
    for name in names:
        lab.pod(name, f"{ISTIO}{name}:1.20.3", node="node-1", spec={"securityContext": {"runAsNonRoot": True}})
        lab.service(name.partition("-")[0], name, 9080, 9080)
    lab.settle(40)
    return lab


@pytest.mark.slow
def test_the_page_shows_what_details_reviews_and_ratings_answer() -> None:
    lab = begun("productpage-v1", "details-v1", "reviews-v3", "ratings-v1")
    page = lab.out("ratings-v1", "curl -sS productpage:9080/productpage")
    assert "<title>Simple Bookstore App</title>" in page and "1234567890" in page and "Reviews served by: reviews-v3" in page
    assert '<p class="red">★★★★★</p>' in page and '<p class="red">★★★★</p>' in page
    lab.out("ratings-v1", """curl -sS -X POST localhost:9080/ratings/0 -d '{"Reviewer1": 1, "Reviewer2": 1}'""")
    reviews = json.loads(lab.out("ratings-v1", "curl -sS reviews:9080/reviews/0"))
    assert [one["rating"] for one in reviews["reviews"]] == [{"stars": 1, "color": "red"}] * 2
    assert json.loads(lab.out("ratings-v1", "curl -sS productpage:9080/api/v1/products/0/ratings"))["ratings"]["Reviewer1"] == 1


@pytest.mark.slow
def test_what_is_not_there_is_told_of_and_the_rest_is_shown() -> None:
    lab = begun("productpage-v1", "details-v1")
    page = lab.out("details-v1", "curl -sS productpage:9080/productpage")
    assert "Book Details" in page and "Sorry, product reviews are currently unavailable for this book." in page
    assert lab.out("details-v1", "curl -sS -w %{http_code} localhost:9080/details/x") == '{"error":"please provide numeric product id"}400'
