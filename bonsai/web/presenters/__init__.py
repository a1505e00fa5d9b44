"""Presenters: values -> sentences, rows and charts for the templates. No HTML here."""
