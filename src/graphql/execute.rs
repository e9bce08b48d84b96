//! A request from its text to its answer, whatever it came over: parsed within limits, its operation chosen, faults of
//! single events put in their places, executed, and its answer put in order. HTTP, SSE and WebSocket ask it.
//! It knows no status, header or body: those belong to what a request came over.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_graphql::{
    Request, Response, ServerError, Variables,
    parser::{
        parse_query,
        types::{ExecutableDocument, OperationDefinition, OperationType},
    },
};

use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::{
    Allowance, AppSchema, RequestId, declared,
    documents::Documents,
    error::{broken, coded, refusal, set_code},
    limits,
    live::ResumeAfter,
    response::{self, FieldOrder},
    variables,
    written::Written,
};
use crate::{
    auth::Principal,
    error::{Code, Error, Result},
    reading::Once,
    tasks,
};

/// Longest time that a query may take, and in which fields of a mutation begin.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request as a client sends it.
pub struct Parameters {
    /// The document.
    pub query: String,
    /// Which of its operations is meant; needed where it has several.
    pub operation_name: Option<String>,
    /// Values of the operation's variables.
    pub variables: Option<Variables>,
}

/// The schema, and the documents that were asked before.
#[derive(Clone)]
pub struct Executor {
    schema: AppSchema,
    documents: Documents,
    introspection: bool,
    longest: Duration,
}

/// A request that has been read: its document is GraphQL within the limits and has the operation that is meant. Whether
/// it may come this way, and how often, is decided by whoever received it.
pub struct Asked {
    parameters: Parameters,
    document: Arc<ExecutableDocument>,
    order: FieldOrder,
    /// Whether it asks, changes something, or follows.
    pub kind: OperationType,
    /// Whether it asks for the schema.
    pub introspects: bool,
}

impl Executor {
    /// Executes requests to a schema. Without `introspection` nobody is told the schema.
    #[must_use]
    pub fn new(schema: AppSchema, introspection: bool) -> Self {
        Self { schema, documents: Documents::default(), introspection, longest: TIMEOUT }
    }

    /// The same whose requests have another time, for exact tests.
    #[must_use]
    pub fn within(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Reads a request; a document that came before is not parsed again.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `QUERY_TOO_COMPLEX` for a document over a limit, `BAD_USER_INPUT` for a literal that
    /// would be lost, and `GRAPHQL_VALIDATION_FAILED` where the schema or no one operation is asked for.
    pub fn read(&self, parameters: Parameters) -> Result<Asked, Box<ServerError>> {
        let document = self.documents.get(&parameters.query, parse)?;
        let introspects = limits::introspected_field(&document);
        if let (false, Some(field)) = (self.introspection, introspects) {
            let message = format!("introspection is switched off, and the document asks for {field}");
            return Err(coded(message, Code::GraphqlValidationFailed));
        }
        let Some(operation) = operation(&document, parameters.operation_name.as_deref()) else {
            let message = "operationName must name one of the document's operations";
            return Err(coded(message, Code::GraphqlValidationFailed));
        };
        let (order, kind) = (FieldOrder::of(&document, operation), operation.ty);
        let introspects = introspects.is_some();
        Ok(Asked { parameters, document, order, kind, introspects })
    }

    /// Executes a request for whoever its token speaks for; nobody, without a token.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` for a query that takes too long. Everything else that goes wrong stands in the answer.
    pub async fn execute(
        &self,
        mut asked: Asked,
        principal: Option<Arc<Principal>>,
        request_id: &str,
    ) -> Result<Response, Box<ServerError>> {
        let (order, kind, document) = (std::mem::take(&mut asked.order), asked.kind, asked.document.clone());
        let mut request = asked.request(principal, request_id);
        if !order.merges_lists() {
            request = request.data(Written);
        }
        if kind == OperationType::Mutation {
            request = request.data(Allowance::of(self.longest));
        }
        let executing = self.schema.execute(request);
        // A mutation is not cut off half-way: what it does is durable or not, and its caller is told. When its time is over,
        // no other field of it begins.
        let mut answer = if kind == OperationType::Mutation {
            executing.await
        } else {
            tokio::time::timeout(self.longest, executing).await.map_err(|_| {
                let error = Error::TooComplex(format!("the request took longer than {} s", self.longest.as_secs()));
                refusal(&error, request_id)
            })?
        };
        response::settle(&mut answer, &order, &document);
        Ok(answer)
    }

    /// Executes a request whose answers come one after the other: those of a subscription, or the one of another.
    /// `resume_after` is the cursor that the client has got to, where what it came over tells.
    pub fn stream(
        &self,
        mut asked: Asked,
        principal: Option<Arc<Principal>>,
        request_id: String,
        resume_after: Option<String>,
    ) -> BoxStream<'static, Response> {
        if asked.kind != OperationType::Subscription {
            let executor = self.clone();
            let id = request_id.clone();
            let executing = async move {
                let answer = executor.execute(asked, principal, &id).await;
                answer.unwrap_or_else(|error| Response::from_errors(vec![*error]))
            };
            return caught(stream::once(executing), request_id);
        }
        let (order, document) = (std::mem::take(&mut asked.order), asked.document.clone());
        let mut request = asked.request(principal, &request_id);
        if let Some(after) = resume_after {
            request = request.data(ResumeAfter(after));
        }
        let settled = move |mut answer: Response| {
            response::settle(&mut answer, &order, &document);
            answer
        };
        caught(self.schema.execute_stream(request).map(settled), request_id)
    }
}

impl Asked {
    /// The request as async-graphql takes it.
    fn request(self, principal: Option<Arc<Principal>>, request_id: &str) -> Request {
        let Self { parameters, document, .. } = self;
        let mut request = Request::new(parameters.query).data(RequestId(request_id.to_owned())).data(Once::default());
        if let Some(name) = parameters.operation_name {
            request = request.operation_name(name);
        }
        if let Some(variables) = parameters.variables {
            request = request.variables(variables);
        }
        if let Some(principal) = principal {
            request = request.data(principal);
        }
        request.set_parsed_query(ExecutableDocument::clone(&document));
        request
    }

    /// Puts the faults of single events in the variables into their places.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming a variable and the place in it, for a fault that lies in no event.
    pub fn settle(&mut self) -> Result<()> {
        let name = self.parameters.operation_name.as_deref();
        match (operation(&self.document, name), &mut self.parameters.variables) {
            (Some(operation), Some(variables)) => variables::settle(operation, variables),
            _ => Ok(()),
        }
    }
}

/// Answers whose stream ends with an answer of its own where making one of them panicked: whoever follows is told, and
/// the other operations of a connection go on.
fn caught(answers: impl Stream<Item = Response> + Send + 'static, request_id: String) -> BoxStream<'static, Response> {
    let told = move |next: std::thread::Result<Response>| {
        next.unwrap_or_else(|panic| {
            Response::from_errors(vec![*broken(&tasks::request_panicked(&*panic), &request_id)])
        })
    };
    AssertUnwindSafe(answers).catch_unwind().map(told).boxed()
}

/// A document that is GraphQL within the limits; of the schema, it is checked when it is executed.
///
/// # Errors
/// As [`Executor::read`].
pub(crate) fn parse(text: &str) -> Result<ExecutableDocument, Box<ServerError>> {
    // No fault of ours can come up here, of which a request id would be told.
    let refuse = |error: Error| refusal(&error, "");
    limits::check_text(text).map_err(refuse)?;
    let document = parse_query(limits::without_surrogates(text)).map_err(|error| {
        let mut error = ServerError::from(error);
        set_code(&mut error, Code::GraphqlParseFailed);
        Box::new(error)
    })?;
    limits::check_document(&document).map_err(refuse)?;
    if let Some((name, at)) = limits::unused_fragment(&document) {
        let mut error = ServerError::new(format!("Fragment {name:?} is never used"), Some(at));
        set_code(&mut error, Code::GraphqlValidationFailed);
        return Err(Box::new(error));
    }
    declared::check(&document)?;
    Ok(document)
}

/// The operation that is meant; `None` where that is none, or could be several.
fn operation<'d>(document: &'d ExecutableDocument, named: Option<&str>) -> Option<&'d OperationDefinition> {
    let mut meant = document
        .operations
        .iter()
        .filter(|(name, _)| named.is_none() || name.map(async_graphql::Name::as_str) == named)
        .map(|(_, operation)| &operation.node);
    meant.next().filter(|_| meant.next().is_none())
}
