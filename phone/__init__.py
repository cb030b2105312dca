"""The telephone: numbers that are called, who calls, who is called on, by way of Twilio."""
