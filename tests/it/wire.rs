//! What may stand between the service and PostgreSQL: a proxy that knows as much of the protocol as it takes to count
//! messages, and to spoil one of them.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// What is done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before it.
    Cut,
    /// The connection ends after it: the one that it was for has it, and cannot answer.
    CutAfter,
    /// The connection ends in its middle.
    Half,
    /// It is late.
    Delay,
    /// It never comes, and the connection stays open.
    Stall,
}

/// How late a message is.
const LATE: Duration = Duration::from_millis(150);
/// Requests for encryption, which are answered with no, and for ending another session's statement.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];
const CANCEL: u32 = 80_877_102;
/// Start-up parameters that a pooler knows of.
const KNOWN: [&str; 7] =
    ["user", "database", "application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"];

/// How a proxy treats what it carries.
#[derive(Default)]
struct Rules {
    armed: Mutex<Option<Armed>>,
    passed: Mutex<Vec<(Side, char)>>,
    /// Statements of the service, not of the test: whether each was plain, and its text.
    requests: Mutex<Vec<(bool, String)>>,
    /// Whether unknown parameters of the start-up are refused, as PgBouncer does it.
    is_strict: bool,
    /// Text that is replaced in plain statements.
    replaced: Option<(&'static str, &'static str)>,
}

struct Armed {
    fault: Fault,
    /// Only messages of this side that hold this text count.
    only: Option<(Side, &'static str)>,
    /// Messages until each of the faults.
    after: Vec<u64>,
    /// What was hit: who sent it, and its letter.
    hit: Vec<(Side, char)>,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Client,
    Server,
}

/// A running proxy. It ends with the test's runtime.
pub struct Proxy {
    /// The database behind it, through the proxy.
    pub url: String,
    /// The same without it.
    pub behind: String,
    rules: Arc<Rules>,
}

impl Proxy {
    /// A proxy that changes nothing until told to.
    pub async fn before(url: &str) -> Self {
        Self::with(url, Rules::default()).await
    }

    /// One that refuses start-up parameters that a pooler does not know.
    pub async fn strict(url: &str) -> Self {
        Self::with(url, Rules { is_strict: true, ..Rules::default() }).await
    }

    /// One that changes a text in plain statements.
    pub async fn replacing(url: &str, from: &'static str, to: &'static str) -> Self {
        Self::with(url, Rules { replaced: Some((from, to)), ..Rules::default() }).await
    }

    async fn with(url: &str, rules: Rules) -> Self {
        let rules = Arc::new(rules);
        let carried = rules.clone();
        let through = serve(url, move |client, server| {
            let rules = carried.clone();
            async move { carry(client, server, &rules).await }
        })
        .await;
        Self { url: through, behind: url.to_owned(), rules }
    }

    /// Spoils the messages that come after so many others, one fault after the other.
    pub fn arm(&self, fault: Fault, mut after: Vec<u64>) {
        after.reverse();
        *self.armed() = Some(Armed { fault, only: None, after, hit: Vec::new() });
    }

    /// Spoils the next message of a side that holds a text.
    pub fn arm_at(&self, fault: Fault, side: Side, text: &'static str) {
        *self.armed() = Some(Armed { fault, only: Some((side, text)), after: vec![0], hit: Vec::new() });
    }

    /// Carries everything from now on, and gives what was spoilt.
    pub fn disarm(&self) -> Vec<(Side, char)> {
        self.armed().take().map_or_else(Vec::new, |armed| armed.hit)
    }

    /// The messages since this was asked last: who sent each, and its letter.
    pub fn passed(&self) -> Vec<(Side, char)> {
        std::mem::take(&mut *self.rules.passed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The statements that the service has sent: whether each was plain, and its text.
    pub fn requests(&self) -> Vec<(bool, String)> {
        self.rules.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn armed(&self) -> std::sync::MutexGuard<'_, Option<Armed>> {
        self.rules.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    /// What is done to the next message.
    fn fault(&self, side: Side, letter: u8, body: &[u8]) -> Option<Fault> {
        let message = (side, char::from(letter));
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = armed.as_mut()?;
        if armed.only.is_some_and(|(of, text)| of != side || !String::from_utf8_lossy(body).contains(text)) {
            return None;
        }
        let left = armed.after.last_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        armed.after.pop();
        armed.hit.push(message);
        Some(armed.fault)
    }
}

/// Listens, and hands every client over with the address of the server. Returns the URL to reach it by.
async fn serve<F: Future<Output = io::Result<()>> + Send + 'static>(
    url: &str,
    carry: impl Fn(TcpStream, String) -> F + Send + 'static,
) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.split_once('/').expect("a database");
    let (user, server) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let own = server.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let _ = client.set_nodelay(true);
            let carrying = carry(client, own.clone());
            tokio::spawn(async move { drop(carrying.await) });
        }
    });
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}127.0.0.1:{port}/{path}")
}

/// A message without a letter: length, code and the rest, as it was read.
async fn first_message(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let mut message = length.to_be_bytes().to_vec();
        message.resize(length as usize, 0);
        client.read_exact(&mut message[4..]).await?;
        let code = u32::from_be_bytes(message[4..8].try_into().expect("four bytes"));
        if !ENCRYPTION.contains(&code) {
            return Ok(message);
        }
        client.write_all(b"N").await?;
    }
}

/// A message with its letter, as it was read.
async fn message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    from.read_exact(&mut message).await?;
    let length = u32::from_be_bytes(message[1..5].try_into().expect("four bytes")) as usize;
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// An error that ends a connection, and a plain statement.
fn written(letter: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![letter];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

async fn carry(mut client: TcpStream, server: String, rules: &Rules) -> io::Result<()> {
    let first = first_message(&mut client).await?;
    if rules.is_strict
        && let Some(unknown) = parameters(&first).into_iter().find(|name| !KNOWN.contains(&name.as_str()))
    {
        let text = format!("SFATAL\0C08P01\0Munsupported startup parameter: {unknown}\0\0");
        return client.write_all(&written(b'E', text.as_bytes())).await;
    }
    let is_service = String::from_utf8_lossy(&first).contains("application_name\0ledgerline\0");
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        if let Some(end) = pass(first, Side::Client, b'\0', &mut to_server, rules).await? {
            return Ok(end);
        }
        loop {
            let mut message = message(&mut from_client).await?;
            if let Some((from, to)) = rules.replaced
                && message[0] == b'Q'
            {
                let text = String::from_utf8_lossy(&message[5..]).replace(from, to);
                message = written(b'Q', text.as_bytes());
            }
            if is_service {
                rules.requests.lock().unwrap_or_else(PoisonError::into_inner).extend(statement(&message));
            }
            let letter = message[0];
            if let Some(end) = pass(message, Side::Client, letter, &mut to_server, rules).await? {
                return io::Result::Ok(end);
            }
        }
    };
    let back = async {
        loop {
            let message = message(&mut from_server).await?;
            let letter = message[0];
            if let Some(end) = pass(message, Side::Server, letter, &mut to_client, rules).await? {
                return io::Result::Ok(end);
            }
        }
    };
    let end = tokio::select! { end = there => end?, end = back => end? };
    drop((from_client, to_client));
    if end == Fault::CutAfter {
        // A reset would take back what the server has not read yet.
        to_server.shutdown().await?;
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(2), from_server.read_to_end(&mut rest)).await;
    }
    Ok(())
}

/// Carries a message, or ends with what was done to it.
async fn pass(
    message: Vec<u8>,
    side: Side,
    letter: u8,
    to: &mut OwnedWriteHalf,
    rules: &Rules,
) -> io::Result<Option<Fault>> {
    let fault = rules.fault(side, letter, &message);
    match fault {
        Some(Fault::Cut) => return Ok(fault),
        Some(Fault::Half) => {
            to.write_all(&message[..message.len() / 2]).await?;
            return Ok(fault);
        }
        Some(Fault::Delay) => tokio::time::sleep(LATE).await,
        Some(Fault::Stall) => std::future::pending::<()>().await,
        Some(Fault::CutAfter) | None => {}
    }
    to.write_all(&message).await?;
    Ok(fault.filter(|fault| *fault == Fault::CutAfter))
}

/// The statement of a message, if it brings one: whether it is plain, and its text.
fn statement(message: &[u8]) -> Option<(bool, String)> {
    let mut texts = message[5..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
    match message[0] {
        b'Q' => Some((true, texts.next()?)),
        // The name comes first.
        b'P' => Some((false, texts.nth(1)?)),
        _ => None,
    }
}

/// Names of a start-up's parameters.
fn parameters(first: &[u8]) -> Vec<String> {
    let texts: Vec<_> =
        first[8..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    texts.chunks(2).map(|pair| pair[0].clone()).filter(|name| !name.is_empty()).collect()
}

/// A pooler in transaction mode: whoever begins a transaction gets the session that was used last. Returns its URL.
pub async fn transaction_pooler(url: &str) -> String {
    let idle: Arc<Mutex<Vec<Session>>> = Arc::default();
    serve(url, move |client, server| {
        let idle = idle.clone();
        async move { share(client, &server, &idle).await }
    })
    .await
}

/// A connection to the server, and how it greeted.
struct Session {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    greeting: Vec<u8>,
}

async fn share(mut client: TcpStream, server: &str, idle: &Mutex<Vec<Session>>) -> io::Result<()> {
    let first = first_message(&mut client).await?;
    if u32::from_be_bytes(first[4..8].try_into().expect("four bytes")) == CANCEL {
        return Ok(());
    }
    let take = || idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let give = |session| idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    let session = match take() {
        Some(session) => session,
        None => open(server, &first).await?,
    };
    let (mut from_client, mut to_client) = client.into_split();
    to_client.write_all(&session.greeting).await?;
    give(session);
    loop {
        let mut asked = message(&mut from_client).await?;
        if asked[0] == b'X' {
            return Ok(());
        }
        let mut session = match take() {
            Some(session) => session,
            None => open(server, &first).await?,
        };
        let mut unanswered = 0;
        // Until the server has answered all, outside of a transaction.
        loop {
            unanswered += u32::from(matches!(asked[0], b'Q' | b'S'));
            session.to.write_all(&asked).await?;
            let mut is_over = false;
            while unanswered > 0 {
                let answer = message(&mut session.from).await?;
                to_client.write_all(&answer).await?;
                unanswered -= u32::from(answer[0] == b'Z');
                is_over = answer[0] == b'Z' && answer[5] == b'I';
            }
            if is_over {
                break;
            }
            asked = message(&mut from_client).await?;
        }
        give(session);
    }
}

async fn open(server: &str, first: &[u8]) -> io::Result<Session> {
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let (mut from, mut to) = server.into_split();
    to.write_all(first).await?;
    let mut greeting = Vec::new();
    loop {
        let answer = message(&mut from).await?;
        greeting.extend(&answer);
        if answer[0] == b'Z' {
            return Ok(Session { from, to, greeting });
        }
    }
}
