"""Who you are, and what you may touch.

An *authenticator* says who presents these credentials; an *authorizer* says what that user may do: `base` has both
contracts. `sasl` turns the mechanisms' responses into credentials. The two questions are apart so that they can be
answered by different parties. `internal` answers both, from users in the store: their `passwords`, and `permissions`
made of `patterns`. `throttle` goes around whatever authenticates.
"""
