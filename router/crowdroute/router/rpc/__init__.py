"""The wire: gRPC services over the engine. Protobuf messages stop at `convert`."""
