"""The stock stripe package against the stand-in. Arguments: base URL, secret key, webhook secret."""

import sys

import stripe

base, key, webhook_secret = sys.argv[1:4]
client = stripe.StripeClient(key, base_addresses={"api": base}, max_network_retries=0)
intents = client.payment_intents


def refused(kind, call, **expected):
    try:
        call()
    except kind as error:
        for name, value in expected.items():
            found = getattr(error, name)
            assert found == value, f"{name} is {found!r}, not {value!r}"
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


terms = {
    "amount": 5000,
    "currency": "eur",
    "capture_method": "manual",
    "payment_method": "pm_card_visa",
    "payment_method_types": ["card"],
    "metadata": {"order": "ord_1"},
}

# create, confirm, capture, retrieve
intent = intents.create(terms)
assert intent.status == "requires_confirmation" and intent.metadata["order"] == "ord_1"
intent = intents.confirm(intent.id)
assert intent.status == "requires_capture" and intent.amount_capturable == 5000
intent = intents.capture(intent.id, {"amount_to_capture": 5000})
assert intent.status == "succeeded" and intent.amount_received == 5000
assert intents.retrieve(intent.id).status == "succeeded"
taken = intent

# cancel
intent = intents.create({**terms, "confirm": True})
assert intent.status == "requires_capture"
intent = intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
assert intent.status == "canceled" and intent.cancellation_reason == "abandoned"

# idempotency
first = intents.create({**terms, "confirm": True}, {"idempotency_key": "sdk-1"})
again = intents.create({**terms, "confirm": True}, {"idempotency_key": "sdk-1"})
assert first.id == again.id and again.last_response.headers["Idempotent-Replayed"] == "true"
refused(
    stripe.IdempotencyError,
    lambda: intents.create({**terms, "amount": 6000}, {"idempotency_key": "sdk-1"}),
    http_status=400,
)

# errors
for method, code in [
    ("pm_card_visa_chargeDeclined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
]:
    error = refused(
        stripe.CardError,
        lambda: intents.create({**terms, "payment_method": method, "confirm": True}),
        http_status=402,
        code="card_declined",
    )
    assert error.error.decline_code == code
    assert error.error.payment_intent.status == "requires_payment_method"
refused(
    stripe.InvalidRequestError,
    lambda: intents.capture(taken.id),
    http_status=400,
    code="payment_intent_unexpected_state",
)
refused(stripe.InvalidRequestError, lambda: intents.create({**terms, "colour": "blue"}), code="parameter_unknown")
refused(stripe.InvalidRequestError, lambda: intents.create({**terms, "amount": 49}), code="amount_too_small")
refused(stripe.InvalidRequestError, lambda: intents.retrieve("pi_none"), http_status=404, code="resource_missing")
stranger = stripe.StripeClient("sk_test_wrong", base_addresses={"api": base})
refused(stripe.AuthenticationError, lambda: stranger.payment_intents.retrieve(taken.id), http_status=401)

# the signature of an event, as the stand-in made it, read by the stock package
payload, signature = sys.stdin.buffer.readline()[:-1], sys.stdin.readline().strip()
event = stripe.Webhook.construct_event(payload, signature, webhook_secret)
assert event.type == "payment_intent.succeeded" and event.data.object.id, event
refused(
    stripe.SignatureVerificationError,
    lambda: stripe.Webhook.construct_event(payload + b" ", signature, webhook_secret),
)
print("ok")
