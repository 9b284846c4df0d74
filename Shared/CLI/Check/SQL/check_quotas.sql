SELECT session_id, account_id, used, lim FROM user_quota
