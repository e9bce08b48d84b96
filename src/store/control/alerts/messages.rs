//! Messages of alerts that have not arrived. What is in them stands in the log, and with the endpoint or the rule.

use entity::{alert_message as message, alert_watch as watch};
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter};

use super::of;
use crate::{
    error::Result,
    event::Timestamp,
    store::{Store, control::endpoints::Endpoint, dialect::sql::Sql, error},
};

/// Names a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromQueryResult)]
pub struct MessageKey {
    /// Number of its organization.
    pub organization_no: i64,
    /// The rule.
    pub rule_id: String,
    /// Sequence of the event that tells of the firing.
    pub sequence: i64,
    /// The id of an endpoint, or an address.
    pub receiver: String,
}

/// A message that has not arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the rule fired.
    pub made_at: Timestamp,
    /// When it is tried next.
    pub due: Timestamp,
    /// Tries that have failed.
    pub failures: i64,
    /// Of them, those that the receiver answered with a refusal.
    pub refusals: i64,
    /// Why the last one failed.
    pub trouble: Option<String>,
}

impl Store {
    /// Messages of a process's rules that are due, the oldest first, at most so many, and of one organization at most
    /// `of_one`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn due_messages(
        &self,
        owner: i64,
        now: Timestamp,
        of_one: usize,
        limit: usize,
    ) -> Result<Vec<MessageKey>> {
        // By hand: no organization's messages may be in the way of another's, and that takes a window function.
        let sql = Sql::new(
            "SELECT organization_no, rule_id, sequence, receiver FROM (SELECT m.organization_no, m.rule_id, m.sequence, \
             m.receiver, m.due_ns, ROW_NUMBER() OVER (PARTITION BY m.organization_no ORDER BY m.due_ns, m.sequence) AS turn \
             FROM alert_message m JOIN alert_watch w ON w.organization_no = m.organization_no AND w.rule_id = m.rule_id \
             WHERE w.owner = ",
        );
        let of_one = i64::try_from(of_one).unwrap_or(i64::MAX);
        let sql = sql.bind(owner).with(" AND m.due_ns <= ", now.0).with(") due WHERE turn <= ", of_one);
        self.rows_of::<MessageKey>(sql.text(&format!(" ORDER BY due_ns, sequence LIMIT {limit}"))).await
    }

    /// A message that has not arrived; `None` where it has, or its rule was deleted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn message(&self, key: &MessageKey) -> Result<Option<Message>> {
        let found = message::Entity::find_by_id(key.id()).one(&self.read).await.map_err(error::from)?;
        Ok(found.map(Message::of))
    }

    /// Writes down that a message has not arrived yet.
    ///
    /// # Errors
    /// Those of the database; nothing is written then.
    pub async fn put_off(&self, key: &MessageKey, message: &Message) -> Result<()> {
        let tx = self.write.begin().await?;
        let update = message::Entity::update_many()
            .col_expr(message::Column::DueNs, message.due.0.into())
            .col_expr(message::Column::Failures, message.failures.into())
            .col_expr(message::Column::Refusals, message.refusals.into())
            .col_expr(message::Column::Trouble, message.trouble.clone().into())
            .filter(key.is());
        update.exec(&tx).await.map_err(error::from)?;
        if let Some(trouble) = &message.trouble {
            let update = watch::Entity::update_many().col_expr(watch::Column::Unsent, trouble.clone().into());
            update.filter(key.is_of_watch()).exec(&tx).await.map_err(error::from)?;
        }
        tx.commit().await
    }

    /// Ends a message: it arrived at an instant, or it never will for a reason.
    ///
    /// # Errors
    /// Those of the database; the message stays then.
    pub async fn end_message(&self, key: &MessageKey, ended: Result<Timestamp, String>) -> Result<()> {
        use watch::Column;
        let tx = self.write.begin().await?;
        message::Entity::delete_by_id(key.id()).exec(&tx).await.map_err(error::from)?;
        let update = watch::Entity::update_many().filter(key.is_of_watch());
        let update = match ended {
            Ok(at) => update.col_expr(Column::SentNs, at.0.into()).col_expr(Column::Unsent, None::<String>.into()),
            Err(why) => update.col_expr(Column::Unsent, why.into()),
        };
        update.exec(&tx).await.map_err(error::from)?;
        tx.commit().await
    }

    /// An endpoint by the number of its organization and its id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn endpoint_of(&self, organization_no: i64, id: &str) -> Result<Option<Endpoint>> {
        let found = entity::endpoint::Entity::find_by_id(of(organization_no, id)).one(&self.read).await;
        found.map_err(error::from)?.map(Endpoint::of).transpose()
    }
}

impl MessageKey {
    fn id(&self) -> (i64, String, i64, String) {
        (self.organization_no, self.rule_id.clone(), self.sequence, self.receiver.clone())
    }

    fn is(&self) -> Condition {
        use message::Column;
        Condition::all()
            .add(Column::OrganizationNo.eq(self.organization_no))
            .add(Column::RuleId.eq(&self.rule_id))
            .add(Column::Sequence.eq(self.sequence))
            .add(Column::Receiver.eq(&self.receiver))
    }

    fn is_of_watch(&self) -> Condition {
        use watch::Column;
        Condition::all().add(Column::OrganizationNo.eq(self.organization_no)).add(Column::RuleId.eq(&self.rule_id))
    }
}

impl Message {
    fn of(row: message::Model) -> Self {
        Self {
            made_at: Timestamp(row.made_ns),
            due: Timestamp(row.due_ns),
            failures: row.failures,
            refusals: row.refusals,
            trouble: row.trouble,
        }
    }
}
