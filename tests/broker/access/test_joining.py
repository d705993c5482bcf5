"""What the options for joining come to, and which of them contradict each other."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from broker.access.join_file import JoinFile
from broker.access.joining import PASSWORD, Given, Joined
from tests.broker.secured_broker import OPERATOR_KEY, Authority

SECRET = "Zq7 pass wörd"  # noqa: S105 - nobody's


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def join(tmp_path: Path, authority: Authority) -> Path:
    path = tmp_path / "pi-hall.join"
    JoinFile(
        role="node",
        id="pi-hall",
        site="mill",
        broker="mqtts://fog.example:8884",
        user="node/pi-hall",
        password=SECRET,
        ca=authority.pem,
        operator_key=OPERATOR_KEY,
    ).write(path)
    return path


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n", "utf-8")
    path.chmod(0o600)
    return path


def refused(given: Given, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        Joined.of(given, ("node",), environment or {})
    said = str(caught.value)
    assert "\n" not in said
    assert SECRET not in said
    return said


def test_nothing_is_an_open_broker_on_this_machine() -> None:
    joined = Joined.of(Given(), ("node",), {})
    assert joined == Joined("mqtt://127.0.0.1:1883", "home")
    assert joined.own_id("pi") == "pi"
    assert joined.client_id("deploy-1") == "deploy-1"
    assert joined.asking("home/ask/pi/1") == ("home/ask/pi/1", joined)
    assert joined.operator_key is None


def test_a_join_file_brings_everything(join: Path, authority: Authority) -> None:
    joined = Joined.of(Given(join=join), ("node",), {PASSWORD: "of another broker"})
    assert (joined.url, joined.site) == ("mqtts://fog.example:8884", "mill")
    assert joined.credentials.user == "node/pi-hall"
    assert joined.credentials.password == SECRET
    assert joined.credentials.ca == authority.pem
    assert joined.own_id(None) == joined.own_id("pi-hall") == "pi-hall"
    assert joined.client_id("deploy-1") == "mill/node/pi-hall"
    assert joined.operator_key == OPERATOR_KEY
    client_id, asking = joined.asking("mill/ask/pi-hall/1")
    assert (client_id, asking.credentials.user) == ("mill/ask/pi-hall", "ask/pi-hall")
    assert asking.credentials.password == SECRET
    assert SECRET not in repr(joined)


def test_what_a_join_file_says_may_be_said_again(join: Path) -> None:
    given = Given(join=join, broker="mqtts://fog.example:8884/", site="mill")
    assert Joined.of(given, ("node",), {}) == Joined.of(Given(join=join), ("node",), {})


def test_what_contradicts_a_join_file(join: Path, password_file: Path) -> None:
    assert "is for mqtts://fog.example:8884; leave --broker out" in refused(
        Given(join=join, broker="mqtts://fog.example")
    )
    assert "is for site mill; leave --site out" in refused(Given(join=join, site="home"))
    assert "--password-file" in refused(Given(join=join, password_file=password_file))
    assert "--user" in refused(Given(join=join, user="me"))
    with pytest.raises(ValueError, match="the join file is of pi-hall; leave --id out"):
        Joined.of(Given(join=join), ("node",), {}).own_id("pi-attic")
    with pytest.raises(ValueError, match="is of a node; this wants one of a camera"):
        Joined.of(Given(join=join), ("camera",), {})


def test_a_join_file_whose_authority_is_none(join: Path) -> None:
    file = JoinFile.read(join)
    bad = join.with_name("bad.join")
    file.model_copy(update={"ca": "no certificate"}).write(bad)
    assert refused(Given(join=bad)).startswith(f"{bad}: ")


def test_by_hand(password_file: Path, authority: Authority) -> None:
    given = Given(broker="mqtts://fog.example", ca=authority.file, user="me")
    by_file = replace(given, password_file=password_file)
    from_file = Joined.of(by_file, (), {PASSWORD: "unused"})
    from_environment = Joined.of(given, (), {PASSWORD: SECRET})
    assert from_file == from_environment
    assert from_file.credentials.password == SECRET
    assert from_file.credentials.ca == authority.pem
    assert Joined.of(Given(broker="mqtt://me@h"), (), {PASSWORD: SECRET}).credentials.user == "me"


@pytest.mark.parametrize(
    ("given", "environment", "words"),
    [
        (Given(ca=Path("x")), {}, "--ca is for TLS, and mqtt://127.0.0.1:1883 is without"),
        (Given(cert=Path("x")), {}, "--cert is for TLS"),
        (Given("mqtts://h", cert_key=Path("x")), {}, "--cert-key is the key of --cert, which is"),
        (Given("mqtts://h", ca=Path("/no/such")), {}, "--ca /no/such: No such file"),
        (Given("mqtts://h", cert=Path("/no/such")), {}, "/no/such: No such file"),
        (Given(password_file=Path("/no/such")), {}, "/no/such: No such file"),
        (Given(), {PASSWORD: SECRET}, f"{PASSWORD} gives a password, and there is no --user"),
        (Given("mqtt://me@h", user="you"), {}, "--user you: the broker's address has another"),
        (Given("localhost"), {}, "'localhost' is not a broker address"),
    ],
)
def test_what_contradicts_itself_by_hand(
    given: Given, environment: dict[str, str], words: str
) -> None:
    assert words in refused(given, environment)


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    for text in ("", "no certificate"):
        path.write_text(text, "ascii")
        assert refused(Given("mqtts://h", ca=path)) == f"--ca {path}: not a certificate in PEM"


def test_a_certificate_without_its_key(authority: Authority) -> None:
    certificate, key = authority.issue("me", client=True)
    _, other = authority.issue("other", client=True)
    assert "it has no key in it (PEM); give it with --cert-key" in refused(
        Given("mqtts://h", cert=certificate)
    )
    assert f"the key in {other} is not that of the certificate" in refused(
        Given("mqtts://h", cert=certificate, cert_key=other)
    )
    Joined.of(Given("mqtts://h", cert=certificate, cert_key=key), (), {})


def test_a_password_file_that_is_no_secret(password_file: Path) -> None:
    password_file.chmod(0o640)
    said = refused(Given(user="me", password_file=password_file))
    assert said.endswith(f"others can read it; run: chmod 600 {password_file}")
    for text in ("", "two\nlines\n"):
        password_file.write_text(text, "utf-8")
        password_file.chmod(0o600)
        assert "holds the password and nothing else" in refused(
            Given(user="me", password_file=password_file)
        )


@pytest.mark.parametrize(
    ("broker", "exposed"),
    [
        ("mqtt://10.0.0.7", True),
        ("mqtt://fog.example", True),
        ("mqtts://fog.example", False),
        ("mqtt://localhost", False),
        ("mqtt://127.0.0.1", False),
        ("mqtt://[::1]", False),
    ],
)
def test_a_password_without_encryption_is_warned_of(broker: str, exposed: bool) -> None:
    joined = Joined.of(Given(broker, user="me"), (), {PASSWORD: SECRET})
    assert (joined.exposed is not None) == exposed


def test_who_is_enrolled_has_one_client_id_by_hand_too() -> None:
    environment = {PASSWORD: SECRET}
    node = Joined.of(Given("mqtts://h", user="node/pi"), (), environment)
    assert (node.device, node.client_id("x")) == ("pi", "home/node/pi")
    client_id, asking = node.asking("x")
    assert (client_id, asking.credentials.user) == ("home/ask/pi", "ask/pi")
    for other in ("pi", "node/", "node/a/b", "admin/pi"):
        joined = Joined.of(Given("mqtts://h", user=other), (), environment)
        assert (joined.device, joined.client_id("x")) == (None, "x")


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for given in (
        Given(join=pipe),
        Given(broker="mqtts://x", ca=pipe),
        Given(broker="mqtts://x", cert=pipe, cert_key=pipe),
        Given(user="me", password_file=pipe),
    ):
        assert str(pipe) in refused(given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "role"),
        ("[]", "the file"),
        ("[" * 50_000, "nested"),
        ('{"format": 1, "format": 1}', "format: is there twice"),
        ("\0", "no JSON, line 1"),
    ],
)
def test_what_is_no_join_file_is_named(join: Path, text: str, says: str) -> None:
    join.write_text(text)
    said = refused(Given(join=join))
    assert f"{join} is not a join file: " in said
    assert says in said


def test_an_address_of_nothing_is_not_the_default() -> None:
    assert "is not a broker address" in refused(Given(broker=""))
