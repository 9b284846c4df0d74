"""The stock stripe package against the stand-in. Arguments: base URL, secret key, webhook secret."""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

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


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def press(page, outcome):
    """Presses a button of an action page; where it sends the buyer."""
    form = urllib.parse.urlencode({"outcome": outcome}).encode()
    try:
        return urllib.request.build_opener(Stay).open(page, form).headers.get("Location", "")
    except urllib.error.HTTPError as answer:
        assert answer.code == 303, answer.code
        return answer.headers["Location"]


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

# 3-D Secure: what the buyer has to do, doing it, and failing to
secure = {**terms, "payment_method": "pm_card_threeDSecure2Required", "confirm": True}
for outcome, status in [("complete", "requires_capture"), ("fail", "requires_payment_method")]:
    intent = intents.create({**secure, "return_url": "https://shop.example/back"})
    assert intent.status == "requires_action" and intent.next_action.type == "redirect_to_url"
    page = intent.next_action.redirect_to_url.url
    assert b"<form" in urllib.request.urlopen(page).read()
    answer = press(page, outcome)
    assert answer.startswith("https://shop.example/back?payment_intent=" + intent.id), answer
    assert intents.retrieve(intent.id).status == status
assert intents.create(secure).next_action.type == "use_stripe_sdk"
assert intents.cancel(intents.create(secure).id).status == "canceled"

# a code to scan, taken at once
scan = {
    **terms,
    "capture_method": "automatic",
    "payment_method": "pm_qr",
    "payment_method_types": ["wechat_pay"],
    "payment_method_options": {"wechat_pay": {"client": "web"}},
    "confirm": True,
}
intent = intents.create(scan)
assert intent.status == "requires_action" and intent.next_action.wechat_pay_display_qr_code.data
press(intent.next_action.wechat_pay_display_qr_code.hosted_instructions_url, "complete")
assert intents.retrieve(intent.id).status == "succeeded"
refused(stripe.InvalidRequestError, lambda: intents.create({**scan, "capture_method": "manual"}), param="capture_method")
refused(stripe.InvalidRequestError, lambda: intents.create({**terms, "payment_method": "pm_qr"}))

# an authorization that has run out
intent = intents.create({**terms, "payment_method": "pm_card_captureFails", "confirm": True})
refused(stripe.InvalidRequestError, lambda: intents.capture(intent.id), code="charge_expired_for_capture")
assert intents.retrieve(intent.id).status == "canceled"

# partial capture
intent = intents.capture(intents.create({**terms, "confirm": True}).id, {"amount_to_capture": 2000})
assert intent.amount_received == 2000 and intent.amount_capturable == 0

# refunds
refunds = client.refunds
refund = refunds.create({"payment_intent": taken.id, "amount": 2000, "metadata": {"refund": "ref_1"}})
assert refund.status == "succeeded" and refund.amount == 2000 and refund.metadata["refund"] == "ref_1"
assert refunds.retrieve(refund.id).payment_intent == taken.id
refused(
    stripe.InvalidRequestError,
    lambda: refunds.create({"payment_intent": taken.id, "amount": 3001}),
    code="amount_too_large",
)
rest = {"charge": taken.latest_charge, "reason": "requested_by_customer"}
first = refunds.create(rest, {"idempotency_key": "sdk-refund"})
again = refunds.create(rest, {"idempotency_key": "sdk-refund"})
assert first.id == again.id and first.amount == 3000
refused(
    stripe.InvalidRequestError,
    lambda: refunds.create({"payment_intent": taken.id}),
    code="charge_already_refunded",
)
assert len(refunds.list({"payment_intent": taken.id}).data) == 2


def bought(method):
    intent = intents.create({**terms, "payment_method": method, "confirm": True})
    return intents.capture(intent.id)


for method, begin, end in [
    ("pm_card_pendingRefund", "pending", "succeeded"),
    ("pm_card_refundFail", "succeeded", "failed"),
]:
    refund = refunds.create({"payment_intent": bought(method).id})
    assert refund.status in (begin, end)
    for _ in range(200):
        refund = refunds.retrieve(refund.id)
        if refund.status == end:
            break
        time.sleep(0.05)
    assert refund.status == end

# disputes
for evidence, status in [("winning_evidence", "won"), ("losing_evidence", "lost")]:
    intent = bought("pm_card_createDispute")
    dispute = client.disputes.list({"payment_intent": intent.id}).data[0]
    assert dispute.status == "needs_response" and dispute.amount == 5000
    refused(stripe.InvalidRequestError, lambda: refunds.create({"payment_intent": intent.id}), code="charge_disputed")
    dispute = client.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    assert dispute.status == status and client.disputes.retrieve(dispute.id).status == status
    refused(stripe.InvalidRequestError, lambda: client.disputes.close(dispute.id))

# the signature of an event, as the stand-in made it, read by the stock package
payload, signature = sys.stdin.buffer.readline()[:-1], sys.stdin.readline().strip()
event = stripe.Webhook.construct_event(payload, signature, webhook_secret)
assert event.type == "payment_intent.succeeded" and event.data.object.id, event
refused(
    stripe.SignatureVerificationError,
    lambda: stripe.Webhook.construct_event(payload + b" ", signature, webhook_secret),
)
print("ok")
