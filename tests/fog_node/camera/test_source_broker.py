"""The broker of a camera's own software: as whom, and one sentence for what cannot be used."""

from pathlib import Path

import pytest

from fog_node.camera.source_broker import PASSWORD, SourceBroker, read_authority


def test_the_password_is_in_the_environment_or_in_a_file(tmp_path: Path) -> None:
    by_variable = SourceBroker.of("mqtt://me@frigate", None, None, {PASSWORD: "word"})
    file = tmp_path / "password"
    file.write_text("other\n", encoding="ascii")
    file.chmod(0o600)
    by_file = SourceBroker.of("mqtt://me@frigate", file, None, {PASSWORD: "word"})
    assert [each.credentials.password for each in (by_variable, by_file)] == ["word", "other"]
    assert by_file.credentials.user == "me"
    assert "other" not in repr(by_file)
    assert SourceBroker.of("mqtt://frigate", None, None, {}).credentials.password is None


@pytest.mark.parametrize(
    ("url", "environment", "words"),
    [
        ("frigate", {}, "is not a broker address"),
        (
            "mqtt://me:word@frigate",
            {},
            "--source-password-file FILE or set FOGWEAVE_SOURCE_PASSWORD",
        ),
        ("mqtt://frigate", {PASSWORD: "word"}, "no user; write mqtt://USER@HOST"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    url: str, environment: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=r"broker|user") as caught:
        SourceBroker.of(url, None, None, environment)
    assert words in str(caught.value)
    assert "word@" not in str(caught.value)


def test_an_authority_is_read_before_anything_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing", encoding="ascii")
    for path, words in ((file, "not a certificate in PEM"), (tmp_path / "none", "No such file")):
        with pytest.raises(ValueError, match=words):
            read_authority(path)
