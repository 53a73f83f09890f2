"""The API below /api/v1: JSON in and out, a token for each call, and refusals as problems (RFC 9457).

It reads what was sent and writes what holds then; whoever may do what is decided in operations/ and domain/ alone.
"""
