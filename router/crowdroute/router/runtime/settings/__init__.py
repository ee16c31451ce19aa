"""What an operator sets: on the command line, in the environment, in a TOML file, in this order.

CROWDROUTE_ADDRESS=0.0.0.0:7070
CROWDROUTE_TLS__CERTIFICATE=/etc/crowdroute/server.pem
"""

from __future__ import annotations

from crowdroute.router.runtime.settings.kafka import (
    FeedSettings,
    FeedTopic,
    KafkaLogSettings,
    KafkaSettings,
    Told,
)
from crowdroute.router.runtime.settings.loading import load_settings, settings_told
from crowdroute.router.runtime.settings.placing import own_shards, shard_map_of
from crowdroute.router.runtime.settings.process import (
    LimitSettings,
    MetricsSettings,
    TlsSettings,
    TracingSettings,
)
from crowdroute.router.runtime.settings.processes import (
    ClusterSettings,
    OtherGroup,
    PeerSettings,
    PeerTlsSettings,
)
from crowdroute.router.runtime.settings.redis import RedisSettings
from crowdroute.router.runtime.settings.whole import Settings

__all__ = [
    "ClusterSettings",
    "FeedSettings",
    "FeedTopic",
    "KafkaLogSettings",
    "KafkaSettings",
    "LimitSettings",
    "MetricsSettings",
    "OtherGroup",
    "PeerSettings",
    "PeerTlsSettings",
    "RedisSettings",
    "Settings",
    "TlsSettings",
    "Told",
    "TracingSettings",
    "load_settings",
    "own_shards",
    "settings_told",
    "shard_map_of",
]
