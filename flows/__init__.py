"""The Prefect layer: schedules, places and retries of the steps of `bonsai.night`."""
