"""What takes longer than a request: the queue, its workers, and the steps that they run."""
