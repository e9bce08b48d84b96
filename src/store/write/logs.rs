//! The logs of an organization while a group is decided: found by name, or made at first use.

use std::sync::Arc;

use super::organizations::Organization;
use crate::{
    catalog::Product,
    chance::Chance,
    error::{Error, Result},
    event::{id::SALT_BITS, input::LogRef},
    store::LogNode,
};

/// The number of a live log, created with what is above it at first use.
pub(in crate::store) fn find_or_add_log(
    org: &mut Organization,
    product: &Product,
    chance: &Chance,
    reference: &LogRef,
    field: &str,
) -> Result<i64> {
    let level = product.check_level(&format!("{field}.level"), &reference.level)?;
    let Some(above) = &level.parent else {
        if reference.id != org.external_id {
            return Err(Error::bad_input(
                format!("{field}.id"),
                format!("must be the organization's id at level {}", level.name),
            ));
        }
        return Ok(0);
    };
    let parent_field = format!("{field}.parent");
    if let Some(parent) = &reference.parent
        && parent.level != *above
    {
        return Err(Error::bad_input(
            format!("{parent_field}.level"),
            format!("must be {above}, got {:?}", parent.level),
        ));
    }
    if let Some(no) = org.dictionary.live(&reference.level, &reference.id) {
        let parent_no = org.dictionary.log(no).and_then(|log| log.parent);
        if let Some(parent) = &reference.parent {
            let given = if *above == product.top_level().name {
                (parent.id == org.external_id).then_some(0)
            } else {
                org.dictionary.live(&parent.level, &parent.id)
            };
            if given != parent_no {
                return Err(Error::bad_input(parent_field, "the log lies in another one"));
            }
        }
        return Ok(no);
    }
    let parent = match &reference.parent {
        Some(parent) => find_or_add_log(org, product, chance, parent, &parent_field)?,
        None if *above == product.top_level().name => 0,
        None => {
            return Err(Error::bad_input(
                parent_field,
                format!("must name the {above} when the {} is new", level.name),
            ));
        }
    };
    let log = LogNode {
        level: reference.level.clone(),
        id: reference.id.clone(),
        name: reference.name.clone(),
        parent: Some(parent),
        deleted_at: None,
        salt: chance.bits(SALT_BITS),
    };
    Ok(Arc::make_mut(&mut org.dictionary).add_log(log))
}
