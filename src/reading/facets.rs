//! How many events of a list there are, by what they are about: each facet for itself, because each costs what it
//! counts. Of an organization that has recorded nothing, nothing is counted.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Reader, list::List, shown::Log};
use crate::{
    auth::{Principal, policy},
    error::Result,
    event::{Actor, Outcome},
    question::filter::Filter,
    store::{Bucket, FacetList, Question, TextFacet},
};

/// Organizations that are counted one by one.
const ORGANIZATIONS: usize = 50;

const fn nothing<T>() -> FacetList<T> {
    FacetList { buckets: Vec::new(), exact: true }
}

impl List {
    /// What is counted of the list under a name, once.
    async fn once<T: Clone + Send + Sync + 'static>(
        &self,
        name: &str,
        count: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let answer = Box::pin(async { count.await.map_err(|error| self.blame(error)) });
        self.counted.of(name.to_owned(), answer).await
    }

    /// By category code.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` where counting takes too long, `UNAVAILABLE`; so do all others.
    pub async fn categories(&self) -> Result<FacetList<String>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        self.once("categories", Box::pin(self.store.facet_categories(selection))).await
    }

    /// By action name.
    pub async fn actions(&self) -> Result<FacetList<String>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        self.once("actions", Box::pin(self.store.facet_actions(selection))).await
    }

    /// By actor.
    pub async fn actors(&self) -> Result<FacetList<Actor>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        self.once("actors", Box::pin(self.store.facet_actors(selection))).await
    }

    /// By outcome.
    pub async fn outcomes(&self) -> Result<FacetList<Outcome>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        self.once("outcomes", Box::pin(self.store.facet_outcomes(selection))).await
    }

    /// By log.
    pub async fn logs(&self) -> Result<FacetList<Log>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        let list = self.once("logs", Box::pin(self.store.facet_logs(selection))).await?;
        let log = |Bucket { value, count }| {
            let value = Log::numbered(&selection.dictionary, value).expect("the store counts logs of this dictionary");
            Bucket { value, count }
        };
        Ok(FacetList { buckets: list.buckets.into_iter().map(log).collect(), exact: list.exact })
    }

    /// By a text.
    pub async fn texts(&self, facet: TextFacet) -> Result<FacetList<String>> {
        let Some(selection) = &self.selection else { return Ok(nothing()) };
        self.once(&format!("{facet:?}"), Box::pin(self.store.facet_texts(selection, facet))).await
    }

    /// By local day, oldest first; days without events are left out.
    pub async fn days(&self, zone: Tz) -> Result<Vec<Bucket<NaiveDate>>> {
        let Some(selection) = &self.selection else { return Ok(Vec::new()) };
        self.once(&format!("days {zone}"), Box::pin(self.store.facet_days(selection, zone))).await
    }
}

impl Reader {
    /// By organization: for staff, those of the product that have recorded the most, each in its own log and those that
    /// its list shows with it; for everybody else the one that the list is of.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` where counting takes too long, `UNAVAILABLE`.
    pub async fn organizations(&self, principal: &Principal, list: &List) -> Result<FacetList<String>> {
        let Some(selection) = &list.selection else { return Ok(nothing()) };
        if !principal.is_staff() {
            let count = list.store.count(selection, selection.size()).await.map_err(|error| list.blame(error))?;
            let one = Bucket { value: selection.organization().to_owned(), count };
            return Ok(FacetList { buckets: Vec::from_iter((count > 0).then_some(one)), exact: true });
        }
        self.largest(principal, &list.filter, list.include_nested).await.map_err(|error| list.blame(error))
    }

    async fn largest(
        &self,
        principal: &Principal,
        filter: &Filter,
        include_nested: Option<bool>,
    ) -> Result<FacetList<String>> {
        let (names, exact) = self.store.largest_organizations(&policy::may_find(principal)?, ORGANIZATIONS).await?;
        let mut buckets = Vec::new();
        for value in names {
            // A token of staff that is narrowed to logs is none of other organizations.
            let Ok(scope) = policy::may_read(principal, Some(&value), None, include_nested) else { continue };
            let store = self.store.caught_up(&scope.product().name, Some(&value)).await?;
            let Some(selection) = store.select(Question { scope: &scope, filter }).await? else { continue };
            let count = store.count(&selection, selection.size()).await.map_err(|error| selection.blame(error))?;
            if count > 0 {
                buckets.push(Bucket { value, count });
            }
        }
        buckets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        Ok(FacetList { buckets, exact })
    }
}
