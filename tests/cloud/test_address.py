import pytest

from flexedge.cloud.address import centre_url
from flexedge.errors import RequestError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ems.example.com", "https://ems.example.com"),
        (" https://ems.example.com/ ", "https://ems.example.com"),
        ("https://EMS.example.com:8443/api/v3_0/", "https://ems.example.com:8443"),
        ("http://192.168.1.5:5000/api", "http://192.168.1.5:5000"),
        ("https://example.com/flexmeasures/api/v3_0", "https://example.com/flexmeasures"),
        ("https://[::1]:5000/ui", "https://[::1]:5000"),
        ("https://bücher.example", "https://bücher.example"),
    ],
)
def test_an_address_is_understood_as_people_write_it(text: str, url: str) -> None:
    assert centre_url(text) == url
    assert centre_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "https://", "ftp://ems.example.com", "https://ems.example.com:port", "https://[::1",
        "https://ems.example.com/?x=y", "https://ems.example.com/#a", "ems example com",
        "https://ems.example.com:99999", "ems.example.com\nHost: other",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match=r"https://ems\.example\.com"):
        centre_url(text)


def test_a_password_in_an_address_is_refused_and_not_told() -> None:
    for text in ("https://anna:secret@ems.example.com", "anna:secret@ems.example.com:x"):
        with pytest.raises(RequestError) as caught:
            centre_url(text)
        assert "secret" not in caught.value.message
