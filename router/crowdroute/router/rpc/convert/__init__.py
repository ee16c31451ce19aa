"""From protobuf messages to the engine's words and back; nothing behind this package sees a message."""
