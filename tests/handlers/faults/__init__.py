"""The fault suite of the handlers: each fault at ten thousand readings, on fakes and moto."""
