"""Who is fit for a task, whether enough was answered, what is reviewed, what is hidden, what is rewarded."""
