"""What an event is: the schemas, names, addresses and evidence that every room shares."""
