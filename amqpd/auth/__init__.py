"""Who you are, and what you may touch.

An *authenticator* says who presents these credentials; an *authorizer* says what that user may do: `base` has both
contracts. `sasl` turns the mechanisms' responses into credentials. The two questions are apart so that they can be
answered by different parties: a `chain` of backends is asked in turn, and a backend that has to ask somebody else
answers with a `pending`. `internal` answers from users in the store: their `passwords`, and `permissions` made of
`patterns`; `http` asks a web server; `cache` remembers what another said. `throttle` goes around all that.
"""
