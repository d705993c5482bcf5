"""MQTT packets, cut out of bytes that arrive in any pieces."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.chaos.packets import Dialect, Packet, PacketReader


def packet(first: int, body: bytes) -> bytes:
    """Return a packet as MQTT has it: type and flags, the length in groups of seven bits, the rest."""
    length, rest = bytearray(), len(body)
    while True:
        length.append(rest % 128 | (128 if rest >= 128 else 0))
        rest //= 128
        if not rest:
            return bytes([first, *length]) + body


def publish(topic: bytes, payload: bytes, qos: int = 0, properties: bytes = b"") -> bytes:
    return packet(0x30 | qos << 1, len(topic).to_bytes(2, "big") + topic + properties + payload)


packets = st.one_of(
    st.builds(publish, st.binary(max_size=20), st.binary(max_size=20_000), st.integers(0, 2)),
    st.builds(packet, st.sampled_from([0x20, 0x82, 0x40, 0xC0, 0xE0]), st.binary(max_size=300)),
)


@given(st.lists(packets, max_size=8), st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_every_byte_comes_out_once_in_whole_packets(sent: list[bytes], pieces: list[int]) -> None:
    stream, reader, found = b"".join(sent), PacketReader(Dialect()), []
    at = step = 0
    while at < len(stream):
        size = pieces[step % len(pieces)]
        found += reader.feed(stream[at : at + size])
        at, step = at + size, step + 1
    assert [each.data for each in found] == sent


def test_only_a_message_of_qos_0_tells_where_its_payload_begins() -> None:
    sent = [publish(b"fog/x", b"hello"), publish(b"fog/x", b"\0\1hello", 1), packet(0xC0, b"")]
    found = PacketReader(Dialect()).feed(b"".join(sent))
    assert [each.payload_at for each in found] == [9, None, None]
    assert found[0].data[9:] == b"hello"


def test_after_a_connect_of_mqtt_5_the_properties_are_no_payload() -> None:
    dialect = Dialect()
    up, down = PacketReader(dialect), PacketReader(dialect)
    message = publish(b"fog/x", b"hello", properties=b"\x02\x01\x00")
    up.feed(packet(0x10, b"\0\4MQTT\5\2\0\x3c\0\0\0"))
    for reader in (up, down):
        (found,) = reader.feed(message)
        assert found.data[found.payload_at :] == b"hello"
    up.feed(packet(0x10, b"\0\4MQTT\4\2\0\x3c\0\0"))
    (found,) = down.feed(publish(b"fog/x", b"hello"))
    assert found.data[found.payload_at :] == b"hello"


def test_what_is_encrypted_goes_on_as_it_comes() -> None:
    reader = PacketReader(Dialect())
    assert reader.feed(b"\x16\x03\x01hello") == [Packet(b"\x16\x03\x01hello", None)]
    assert reader.feed(b"\x30") == [Packet(b"\x30", None)]
