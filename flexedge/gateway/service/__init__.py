"""What programs ask of a gateway: values in and out, schedules and forecasts as jobs."""
