//! What PostgreSQL alone needs: sessions that are asked, partitions, their upkeep, replicas, sharding.

mod address;
mod anew;
mod bridge;
pub(super) mod citus;
pub(super) mod locks;
pub(super) mod nodes;
pub(super) mod partitions;
pub(super) mod replica;
pub(super) mod session;
mod unreachable;
pub(super) mod upkeep;
mod wipe;
