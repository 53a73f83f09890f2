"""The whole of Etappe as people meet it: the real command, a real browser, mails that travelled over SMTP."""
