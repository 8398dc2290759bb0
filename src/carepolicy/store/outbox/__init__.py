"""What a store was asked to have carried out: the queue of requests, and how they reach a mail server or a webhook."""
