"""What people work on: the notice, the findings, the tasks. The one source of every paper."""
