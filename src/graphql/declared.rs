//! The types that a document gives its variables. async-graphql looks at a default value before it asks whether its type
//! is there, and panics where a list is of one that is not.

use std::sync::LazyLock;

use async_graphql::{
    ID, InputType, OutputType, ServerError, SubscriptionType,
    parser::types::{BaseType, ExecutableDocument, Type},
    registry::Registry,
};

use super::{Mutation, Query, Subscription, error::set_code};
use crate::error::Code;

/// Every type of the schema that has a name, and those of the specification itself.
static TYPES: LazyLock<Registry> = LazyLock::new(|| {
    let mut types = Registry::default();
    <bool as InputType>::create_type_info(&mut types);
    <i32 as InputType>::create_type_info(&mut types);
    <f64 as InputType>::create_type_info(&mut types);
    <String as InputType>::create_type_info(&mut types);
    <ID as InputType>::create_type_info(&mut types);
    <Query as OutputType>::create_type_info(&mut types);
    <Mutation as OutputType>::create_type_info(&mut types);
    <Subscription as SubscriptionType>::create_type_info(&mut types);
    types
});

/// Refuses a variable of a type that there is not, in whichever operation of the document.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED`, at the place of the variable.
pub fn check(document: &ExecutableDocument) -> Result<(), Box<ServerError>> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    for variable in operations.flat_map(|operation| &operation.variable_definitions) {
        let name = name_of(&variable.node.var_type.node);
        if !TYPES.types.contains_key(name) {
            let mut error = ServerError::new(format!("Unknown type {name:?}"), Some(variable.pos));
            set_code(&mut error, Code::GraphqlValidationFailed);
            return Err(Box::new(error));
        }
    }
    Ok(())
}

/// The name inside of all lists.
fn name_of(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => name_of(of),
    }
}
