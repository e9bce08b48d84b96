//! Which events something is about, as it is stored: what an endpoint gets, what a hold keeps.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input::FilterInput;
use crate::error::{Error, Result};

/// A log and a filter, version 1. Its JSON lies in the database.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// Version of this form.
    pub v: u8,
    /// The log as `level:id`; the organization's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Whether events of logs nested in it are meant too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_nested: Option<bool>,
    /// The filter.
    pub filter: FilterInput,
}

impl Asked {
    /// The JSON that is stored: what is not asked for is left out.
    ///
    /// # Errors
    /// `INTERNAL`.
    pub fn text(&self) -> Result<String> {
        let mut asked = serde_json::to_value(self).map_err(Error::internal)?;
        if let Some(Value::Object(filter)) = asked.get_mut("filter") {
            filter.retain(|_, value| !value.is_null());
        }
        Ok(asked.to_string())
    }
}
