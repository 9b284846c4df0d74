// Every SQL statement of the module, each from a file of its own.

import Postgres

/// A statement's text under its name; calling it adds the values.
struct SQLText: Sendable {
    let name: String
    let text: String

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        text = String(decoding: bytes, as: UTF8.self)
    }

    func callAsFunction(_ parameters: PostgresParameter...) -> Statement { Statement(name, text, parameters) }
}

enum SQL {
    static let accountByEmail = SQLText("accountByEmail", PackageResources.account_by_email_sql)
    static let accountByID = SQLText("accountByID", PackageResources.account_by_id_sql)
    static let accountOfToken = SQLText("accountOfToken", PackageResources.account_of_token_sql)
    static let beginOrders = SQLText("beginOrders", PackageResources.begin_orders_sql)
    static let beginOutcomes = SQLText("beginOutcomes", PackageResources.begin_outcomes_sql)
    static let blockSeats = SQLText("blockSeats", PackageResources.block_seats_sql)
    static let cancelOrders = SQLText("cancelOrders", PackageResources.cancel_orders_sql)
    static let cancelOutcomes = SQLText("cancelOutcomes", PackageResources.cancel_outcomes_sql)
    static let captureOrders = SQLText("captureOrders", PackageResources.capture_orders_sql)
    static let captureOutcomes = SQLText("captureOutcomes", PackageResources.capture_outcomes_sql)
    static let capturePayments = SQLText("capturePayments", PackageResources.capture_payments_sql)
    static let captureTickets = SQLText("captureTickets", PackageResources.capture_tickets_sql)
    static let claims = SQLText("claims", PackageResources.claims_sql)
    static let confirmClaims = SQLText("confirmClaims", PackageResources.confirm_claims_sql)
    static let confirmOrders = SQLText("confirmOrders", PackageResources.confirm_orders_sql)
    static let confirmOutcomes = SQLText("confirmOutcomes", PackageResources.confirm_outcomes_sql)
    static let confirmPayments = SQLText("confirmPayments", PackageResources.confirm_payments_sql)
    static let confirmTickets = SQLText("confirmTickets", PackageResources.confirm_tickets_sql)
    static let createClaims = SQLText("createClaims", PackageResources.create_claims_sql)
    static let createForget = SQLText("createForget", PackageResources.create_forget_sql)
    static let createItems = SQLText("createItems", PackageResources.create_items_sql)
    static let createKeys = SQLText("createKeys", PackageResources.create_keys_sql)
    static let createLost = SQLText("createLost", PackageResources.create_lost_sql)
    static let createOrders = SQLText("createOrders", PackageResources.create_orders_sql)
    static let createOutcomes = SQLText("createOutcomes", PackageResources.create_outcomes_sql)
    static let createQuota = SQLText("createQuota", PackageResources.create_quota_sql)
    static let createRelease = SQLText("createRelease", PackageResources.create_release_sql)
    static let declineOrders = SQLText("declineOrders", PackageResources.decline_orders_sql)
    static let declinePayments = SQLText("declinePayments", PackageResources.decline_payments_sql)
    static let deleteRefreshToken = SQLText("deleteRefreshToken", PackageResources.delete_refresh_token_sql)
    static let dueOrders = SQLText("dueOrders", PackageResources.due_orders_sql)
    static let endReusedTokens = SQLText("endReusedTokens", PackageResources.end_reused_tokens_sql)
    static let expireOrders = SQLText("expireOrders", PackageResources.expire_orders_sql)
    static let failOrder = SQLText("failOrder", PackageResources.fail_order_sql)
    static let failPayment = SQLText("failPayment", PackageResources.fail_payment_sql)
    static let forgetKeys = SQLText("forgetKeys", PackageResources.forget_keys_sql)
    static let insertAccounts = SQLText("insertAccounts", PackageResources.insert_accounts_sql)
    static let insertRefreshToken = SQLText("insertRefreshToken", PackageResources.insert_refresh_token_sql)
    static let insertRows = SQLText("insertRows", PackageResources.insert_rows_sql)
    static let insertSeats = SQLText("insertSeats", PackageResources.insert_seats_sql)
    static let insertSections = SQLText("insertSections", PackageResources.insert_sections_sql)
    static let insertSession = SQLText("insertSession", PackageResources.insert_session_sql)
    static let insertShow = SQLText("insertShow", PackageResources.insert_show_sql)
    static let itemsOfOrders = SQLText("itemsOfOrders", PackageResources.items_of_orders_sql)
    static let layoutRows = SQLText("layoutRows", PackageResources.layout_rows_sql)
    static let layoutSections = SQLText("layoutSections", PackageResources.layout_sections_sql)
    static let lease = SQLText("lease", PackageResources.lease_sql)
    static let leaseSagas = SQLText("leaseSagas", PackageResources.lease_sagas_sql)
    static let lockOrders = SQLText("lockOrders", PackageResources.lock_orders_sql)
    static let lockOrdersOfPayments = SQLText("lockOrdersOfPayments", PackageResources.lock_orders_of_payments_sql)
    static let lockQuota = SQLText("lockQuota", PackageResources.lock_quota_sql)
    static let lockQuotaOfPayments = SQLText("lockQuotaOfPayments", PackageResources.lock_quota_of_payments_sql)
    static let lockRebuild = SQLText("lockRebuild", PackageResources.lock_rebuild_sql)
    static let lockRefreshToken = SQLText("lockRefreshToken", PackageResources.lock_refresh_token_sql)
    static let markProjected = SQLText("markProjected", PackageResources.mark_projected_sql)
    static let noAnswer = SQLText("noAnswer", PackageResources.no_answer_sql)
    static let openSagas = SQLText("openSagas", PackageResources.open_sagas_sql)
    static let orderEvents = SQLText("orderEvents", PackageResources.order_events_sql)
    static let orderIdsOfAccount = SQLText("orderIdsOfAccount", PackageResources.order_ids_of_account_sql)
    static let ordersByID = SQLText("ordersByID", PackageResources.orders_by_id_sql)
    static let paymentByID = SQLText("paymentByID", PackageResources.payment_by_id_sql)
    static let paymentOrderEvents = SQLText("paymentOrderEvents", PackageResources.payment_order_events_sql)
    static let paymentsOfOrders = SQLText("paymentsOfOrders", PackageResources.payments_of_orders_sql)
    static let postpone = SQLText("postpone", PackageResources.postpone_sql)
    static let raiseEpoch = SQLText("raiseEpoch", PackageResources.raise_epoch_sql)
    static let receive = SQLText("receive", PackageResources.receive_sql)
    static let releaseClaims = SQLText("releaseClaims", PackageResources.release_claims_sql)
    static let releaseClaimsOfPayments = SQLText(
        "releaseClaimsOfPayments",
        PackageResources.release_claims_of_payments_sql
    )
    static let replay = SQLText("replay", PackageResources.replay_sql)
    static let returnQuota = SQLText("returnQuota", PackageResources.return_quota_sql)
    static let returnQuotaOfPayments = SQLText("returnQuotaOfPayments", PackageResources.return_quota_of_payments_sql)
    static let sagaWork = SQLText("sagaWork", PackageResources.saga_work_sql)
    static let sessions = SQLText("sessions", PackageResources.sessions_sql)
    static let setPayWindow = SQLText("setPayWindow", PackageResources.set_pay_window_sql)
    static let setRoom = SQLText("setRoom", PackageResources.set_room_sql)
    static let setState = SQLText("setState", PackageResources.set_state_sql)
    static let shows = SQLText("shows", PackageResources.shows_sql)
    static let ticketsOfAccount = SQLText("ticketsOfAccount", PackageResources.tickets_of_account_sql)
    static let ticketsOfOrders = SQLText("ticketsOfOrders", PackageResources.tickets_of_orders_sql)
    static let unprojected = SQLText("unprojected", PackageResources.unprojected_sql)
    static let useRefreshToken = SQLText("useRefreshToken", PackageResources.use_refresh_token_sql)
    static let voidOrder = SQLText("voidOrder", PackageResources.void_order_sql)
    static let voidPayment = SQLText("voidPayment", PackageResources.void_payment_sql)
    static let voidTickets = SQLText("voidTickets", PackageResources.void_tickets_sql)
    static let voided = SQLText("voided", PackageResources.voided_sql)
    static let seatHistory = SQLText("seatHistory", PackageResources.seat_history_sql)
    static let unblockSeats = SQLText("unblockSeats", PackageResources.unblock_seats_sql)
}
