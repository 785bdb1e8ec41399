"""Who you are, and what you may touch.

An *authenticator* says who presents these credentials; an *authorizer* says what that user may do. `sasl` turns the
mechanisms' responses into credentials. The two questions are apart so that they can be answered by different parties.
"""
