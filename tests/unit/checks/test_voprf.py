"""RFC 9497: the published vectors, and the library held against the RFC read anew."""

from __future__ import annotations

import secrets

import pytest

from hub.checks.precheck.voprf import Blinded, Evaluated, OprfKey
from hub.errors import IntegrityFailure, InvalidInput
from tests import rfc9497 as plain

# Appendix A.1.2: ristretto255-SHA512, VOPRF mode.
SEED, INFO = bytes.fromhex("a3" * 32), b"test key"
PRIVATE = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
BLIND_1 = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
BLIND_2 = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
NONCE_OF_BATCH = "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c"
OUTPUT_1 = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
)
OUTPUT_2 = (
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
    "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"
)
VECTORS = [
    {
        "inputs": ["00"],
        "blinds": [BLIND_1],
        "blinded": ["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"],
        "evaluated": ["aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"],
        "nonce": BLIND_2,
        "proof": "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
        "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        "outputs": [OUTPUT_1],
    },
    {
        "inputs": ["5a" * 17],
        "blinds": [BLIND_1],
        "blinded": ["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
        "evaluated": ["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"],
        "nonce": BLIND_2,
        "proof": "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a"
        "67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
        "outputs": [OUTPUT_2],
    },
    {
        "inputs": ["00", "5a" * 17],
        "blinds": [BLIND_1, BLIND_2],
        "blinded": [
            "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        ],
        "evaluated": [
            "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        ],
        "nonce": NONCE_OF_BATCH,
        "proof": "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
        "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
        "outputs": [OUTPUT_1, OUTPUT_2],
    },
]


def number(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text), "little")


def raw(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_plain_reading_gives_the_published_vectors(vector: dict) -> None:
    """So that what is held against it is held against the RFC: key, blinding, evaluation, proof and output."""
    key = plain.derive_key(SEED, INFO)
    inputs, blinded, evaluated = raw(vector["inputs"]), raw(vector["blinded"]), raw(vector["evaluated"])
    assert key == number(PRIVATE)
    assert plain.encode(plain.times(key, plain.BASE)).hex() == PUBLIC
    scalars = [number(text) for text in vector["blinds"]]
    assert [plain.blind(text, scalar)[1] for text, scalar in zip(inputs, scalars, strict=True)] == blinded
    assert [plain.evaluate(key, one) for one in blinded] == evaluated
    proof = bytes.fromhex(vector["proof"])
    assert plain.prove(key, blinded, evaluated, number(vector["nonce"])) == proof
    assert plain.verified(bytes.fromhex(PUBLIC), blinded, evaluated, proof)
    found = [plain.finalize(*one) for one in zip(inputs, scalars, evaluated, strict=True)]
    assert [one.hex() for one in found] == vector["outputs"]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_library_gives_the_published_vectors(vector: dict) -> None:
    """All but what it draws itself: the blinds and the proof's nonce."""
    key = OprfKey(SEED, INFO)
    assert key.public_key.hex() == PUBLIC
    assert [key.output(text).hex() for text in raw(vector["inputs"])] == vector["outputs"]
    blinded, evaluated = raw(vector["blinded"]), raw(vector["evaluated"])
    answer = key.evaluate(blinded)
    assert answer.elements == evaluated
    assert plain.verified(key.public_key, blinded, evaluated, answer.proof)


def test_a_member_with_code_of_its_own_and_the_hub_understand_each_other() -> None:
    key = OprfKey(secrets.token_bytes(32), b"an epoch")
    inputs = [b"bank-account:20201555555555", b"phone:447700900123", b"email:a@example.com"]
    scalars, blinded = zip(*(plain.blind(text) for text in inputs), strict=True)
    answer = key.evaluate(blinded)
    assert plain.verified(key.public_key, blinded, answer.elements, answer.proof)
    found = [plain.finalize(*one) for one in zip(inputs, scalars, answer.elements, strict=True)]
    assert found == [key.output(text) for text in inputs]


def test_the_members_side_takes_what_another_server_proves() -> None:
    secret = plain.derive_key(secrets.token_bytes(32), b"")
    public_key = plain.encode(plain.times(secret, plain.BASE))
    batch = Blinded([b"phone:447700900123", b"phone:447700900124"])
    evaluated = [plain.evaluate(secret, one) for one in batch.elements]
    proof = plain.prove(secret, batch.elements, evaluated, secrets.randbelow(plain.ORDER))
    outputs = batch.outputs(Evaluated(evaluated, proof), public_key)
    assert outputs == [
        plain.finalize(text, 1, plain.encode(plain.times(secret, plain.hash_to_group(text))))
        for text in (b"phone:447700900123", b"phone:447700900124")
    ]


def test_an_answer_that_is_not_proved_is_refused() -> None:
    key, other = (OprfKey(secrets.token_bytes(32), b"") for _ in range(2))
    batch = Blinded([b"a", b"b"])
    good = key.evaluate(batch.elements)
    assert batch.outputs(good, key.public_key) == [key.output(b"a"), key.output(b"b")]
    flipped = bytes([good.proof[0] ^ 1]) + good.proof[1:]
    for answer, public_key in (
        (other.evaluate(batch.elements), key.public_key),  # another key
        (good, other.public_key),
        (Evaluated(good.elements[::-1], good.proof), key.public_key),  # in another order
        (Evaluated(good.elements[:1], good.proof), key.public_key),
        (Evaluated([*good.elements, good.elements[0]], good.proof), key.public_key),
        (Evaluated(good.elements, flipped), key.public_key),
        (Evaluated([b"\xff" * 32, good.elements[1]], good.proof), key.public_key),
        (Evaluated([], b""), key.public_key),
        (good, b"no key"),
    ):
        with pytest.raises(IntegrityFailure):
            batch.outputs(answer, public_key)


def test_the_same_value_is_never_blinded_the_same() -> None:
    assert len(set(Blinded([b"phone:447700900123"] * 100).elements)) == 100


@pytest.mark.parametrize("element", [b"", b"\0" * 32, b"\xff" * 32, b"\1" * 31, b"\1" * 33])
def test_what_is_no_element_is_refused(element: bytes) -> None:
    good = Blinded([b"a"]).elements[0]
    with pytest.raises(InvalidInput, match=r"blinded\[1\]"):
        OprfKey(SEED, INFO).evaluate([good, element])


@pytest.mark.parametrize("text", [b"", b"x" * 65536])
def test_an_input_that_the_rfc_does_not_take_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        Blinded([text])
