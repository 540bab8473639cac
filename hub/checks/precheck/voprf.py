"""The oblivious function of the private pre-check: RFC 9497, VOPRF mode, ristretto255-SHA512.

The member blinds (``Blinded``), the hub evaluates a batch with one proof (``OprfKey``), the member verifies and
unblinds. What goes over the wire are the RFC's serialisations: 32 bytes for an element, 64 for a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voprf import ristretto

from hub.errors import IntegrityFailure, InvalidInput

SUITE = "ristretto255-SHA512"
ELEMENT_BYTES = 32
PROOF_BYTES = 64
# RFC 9497 section 1.2: inputs have a two-byte length.
LONGEST_INPUT = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The hub's answer to a batch: its elements in the order of the blinded ones, and one proof for all."""

    elements: list[bytes]
    proof: bytes


class OprfKey:
    """The hub's side: one private key."""

    def __init__(self, seed: bytes, info: bytes) -> None:
        """DeriveKeyPair (RFC 9497 section 3.2.1) of a secret 32-byte ``seed`` and a public ``info``."""
        self._evaluator = ristretto.Evaluator.from_seed(seed, info)

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._evaluator.public_key.serialize()

    def output(self, text: bytes) -> bytes:
        """What a member that gives ``text`` ends with: 64 bytes (Evaluate, section 3.3.2)."""
        return self._evaluator.evaluate_known_input(text)

    def evaluate(self, blinded: Sequence[bytes]) -> Evaluated:
        """BlindEvaluate of a batch with one proof (section 3.3.2). Raises InvalidInput for what is no element."""
        answer = self._evaluator.evaluate_batch(
            [_element(raw, f"blinded[{place}]") for place, raw in enumerate(blinded)]
        ).serialize()
        elements = [answer[at : at + ELEMENT_BYTES] for at in range(PROOF_BYTES, len(answer), ELEMENT_BYTES)]
        return Evaluated(elements, answer[:PROOF_BYTES])


class Blinded:
    """The member's side: a batch of inputs, each blinded with a random scalar that is never given away."""

    def __init__(self, inputs: Sequence[bytes]) -> None:
        """Blind (section 3.3.1). Raises InvalidInput for an empty input, or one over 65,535 bytes."""
        blinded = []
        for place, text in enumerate(inputs):
            if not 0 < len(text) <= LONGEST_INPUT:
                raise InvalidInput("an input has 1 to 65,535 bytes", where=f"inputs[{place}]")
            blinded.append(ristretto.Client.blind(text))
        self._clients = [client for client, _ in blinded]
        self.elements = [element.serialize() for _, element in blinded]

    def outputs(self, answer: Evaluated, public_key: bytes) -> list[bytes]:
        """Finalize (section 3.3.2): 64 bytes for each input, once the proof holds for ``public_key``.

        Raises IntegrityFailure where it does not, or where the answer is no answer to this batch.
        """
        try:
            return ristretto.Client.finalize_batch(
                self._clients,
                ristretto.VerifiableBatchOutput.deserialize(answer.proof + b"".join(answer.elements)),
                ristretto.PublicKey.deserialize(public_key),
            )
        except ValueError as error:
            raise _untrusted(str(error)) from None
        except BaseException as error:
            # voprf 0.2.0 panics where the proof of a batch does not hold; the class of that cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            raise _untrusted("its proof does not hold") from None


def _untrusted(why: str) -> IntegrityFailure:
    return IntegrityFailure(
        f"the hub's evaluation cannot be trusted: {why}",
        advice="Compare the pinned public key with the one that the hub publishes.",
    )


def _element(raw: bytes, where: str) -> ristretto.BlindedInput:
    try:
        return ristretto.BlindedInput.deserialize(raw)
    except ValueError:
        raise InvalidInput("this is no element of ristretto255", where=where) from None
