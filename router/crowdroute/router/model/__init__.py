"""The words of the engine: ids, states, answers, rules, facts about workers."""
