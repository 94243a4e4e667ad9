"""What messages hold besides text."""

from base64 import b64encode

import pytest

from understudy.mock.asks import Media, MediaKind
from understudy.mock.failures import RefusedError
from understudy.mock.media import check_base64, from_url, told

PNG = b64encode(b"\x89PNG").decode()


@pytest.mark.parametrize(
    ("url", "media"),
    [
        pytest.param(f"data:image/png;base64,{PNG}", Media(MediaKind.IMAGE, "image/png"), id="data"),
        pytest.param(f"data:image/png;name=x;base64,{PNG}", Media(MediaKind.IMAGE, "image/png"), id="parameters"),
        pytest.param("https://example.com/a.png", Media(MediaKind.IMAGE, "by URL"), id="address"),
    ],
)
def test_a_url(url: str, media: Media) -> None:
    """What a URL holds is known from itself; nothing is fetched."""
    assert media == from_url(MediaKind.IMAGE, url, param="url")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("data:image/png,abc", id="no base64"),
        pytest.param("data:image/png;base64,", id="empty"),
        pytest.param("data:image/png;base64,a", id="cut off"),
        pytest.param("data:image/png;base64,%%%%", id="other characters"),
    ],
)
def test_a_broken_url(url: str) -> None:
    """Data that no vendor could decode is refused, and the field named."""
    with pytest.raises(RefusedError) as caught:
        from_url(MediaKind.IMAGE, url, param="messages[0]")
    assert (400, "messages[0]") == (caught.value.failure.status, caught.value.failure.param)


@pytest.mark.parametrize("data", [None, 5, "", "é", "YQ", "YQ==\n!"])
def test_no_base64(data: object) -> None:
    """Only a string of proper base64 passes."""
    with pytest.raises(RefusedError):
        check_base64(data, param="data")


@pytest.mark.parametrize(
    ("media", "sentence"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(
            [Media(MediaKind.IMAGE, "image/png"), Media(MediaKind.IMAGE, "image/gif"), Media(MediaKind.AUDIO)],
            "It came with 2 image(s) (image/gif, image/png), 1 audio.",
            id="several",
        ),
        pytest.param(
            [Media(MediaKind.DOCUMENT, "application/pdf")],
            "It came with 1 document(s) (application/pdf).",
            id="a document",
        ),
    ],
)
def test_told(media: list[Media], sentence: str) -> None:
    """The sentence tells how many of what arrived."""
    assert sentence == told(media)
