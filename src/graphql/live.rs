//! Events as they are recorded.

use async_graphql::{Context, ID, Subscription};
use futures_util::{
    StreamExt,
    stream::{self, Stream},
};

use super::{
    connection::AuditEventEdge,
    error::logged,
    filter::{AuditEventFilter, AuditLogInput, Typed, filter},
    principal, request_id, services,
};
use crate::{
    error::Result,
    reading::follow::{Followed, Follower},
};

/// Events that are read at once.
const BATCH: usize = 100;

/// Where a client says that it was, beside the document: what it says last counts.
pub struct ResumeAfter(pub String);

/// Following a log: events as they are recorded.
pub struct Subscription;

/// Following a log: events as they are recorded.
#[Subscription]
impl Subscription {
    /// Events of a log as they are recorded, in the order of recording, each once. With `after`, what was recorded since
    /// comes first, and then what is recorded from now on, without a gap and without a repetition. Needs what
    /// `auditEvents` needs. It ends with an error where the token no longer suffices, or the log is deleted.
    #[graphql(complexity = "child_complexity + 1")]
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn audit_event_recorded(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization; needed where the token names none.")] organization: Option<ID>,
        #[graphql(desc = "The log; the organization's own where absent.")] log: Option<AuditLogInput>,
        #[graphql(desc = "Whether events of logs nested in it come too; the level's setting where absent.")]
        include_nested: Option<bool>,
        #[graphql(desc = "Which events to keep.")] filter: Option<AuditEventFilter>,
        #[graphql(desc = "Words that must all occur in an event, as in `auditEvents`.")] search: Option<String>,
        #[graphql(
            desc = "A query, as in `auditEvents`. What moves with the clock, such as `after:1h`, stays what it was when it was asked."
        )]
        query: Option<String>,
        #[graphql(desc = "IANA name of the zone that days and times of `query` are of; UTC where absent.")]
        query_time_zone: Option<String>,
        #[graphql(
            desc = "A cursor of this field, or of `auditEvents` in ascending order of `SEQUENCE`, with the same arguments: what was recorded after it comes first."
        )]
        after: Option<String>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<AuditEventEdge>> + use<>> {
        let id = request_id(ctx);
        let followed = Followed {
            organization: organization.map(|id| id.0),
            log: log.map(Into::into),
            include_nested,
            filter: self::filter(filter, Typed { search, query, query_time_zone }),
        };
        let after = ctx.data_opt::<ResumeAfter>().map(|ResumeAfter(after)| after.clone()).or(after);
        let follower = async || services(ctx).reader.follow(principal(ctx)?, followed, after.as_deref()).await;
        let follower = Box::pin(follower()).await.map_err(|error| logged(&error, &id))?;
        let follower = follower.telling_held(ctx.look_ahead().field("node").field("held").exists());
        let batches = stream::unfold(Some(follower), next);
        let edges = batches.flat_map(move |batch| {
            let id = id.clone();
            stream::iter(match batch {
                Ok(edges) => edges.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(logged(&error, &id))],
            })
        });
        Ok(edges)
    }
}

/// The next events, and who goes on; nobody after an error.
async fn next(follower: Option<Follower>) -> Option<(Result<Vec<AuditEventEdge>>, Option<Follower>)> {
    let mut follower = follower?;
    Some(match Box::pin(follower.wait(BATCH)).await {
        Ok(entries) => (Ok(entries.into_iter().map(Into::into).collect()), Some(follower)),
        Err(error) => (Err(error), None),
    })
}
