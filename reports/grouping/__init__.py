"""Sites and reporting nurses beside each other: funnel, under-reporting, disproportionality."""
