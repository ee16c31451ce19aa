"""The demonstration on a cluster: tasks from Kafka, annotators at two actors on Ray, results in Kafka."""
