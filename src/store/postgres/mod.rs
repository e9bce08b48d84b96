//! What PostgreSQL alone needs: sessions that are asked, partitions, their upkeep, replicas, sharding.

pub(in crate::store) mod citus;
pub(in crate::store) mod locks;
pub(in crate::store) mod partitions;
pub(in crate::store) mod replica;
pub(in crate::store) mod session;
pub(in crate::store) mod upkeep;
