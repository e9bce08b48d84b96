//! A PostgreSQL is named as libpq names it: several hosts, sockets, certificates, and passwords that change.

use ledgerline::config::Settings;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tokio::net::{TcpStream, UnixListener};

use crate::{
    harness::{Database, TestApp, event, postgres::replica_of},
    process::{Service, ledgerline},
    server::{Server, execute, port_of, refused, refused_as},
};

/// Records an event through a URL, and reads it.
async fn works(app: &TestApp, change: impl FnOnce(&mut Settings), action: &str) {
    let service = app
        .beside_with(|settings| {
            change(settings);
            *settings = settings.clone().with_passwords();
        })
        .await;
    let admin = service.admin("workspace", "acme");
    assert_eq!(admin.record(event(action)).await["status"], "RECORDED");
    assert!(admin.actions("").await.contains(&action.to_owned()));
    service.finish().await;
}

fn name_of(url: &str) -> &str {
    &url[url.rfind('/').expect("a database") + 1..]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_is_wanted_is_used() {
    let app = TestApp::start(Database::Postgres).await;
    let replica = replica_of(&app.url).await;
    let (primary, standby, name) = (port_of(&app.url), port_of(&replica), name_of(&app.url));
    let hosts = format!("127.0.0.1:1,127.0.0.1:{standby},127.0.0.1:{primary}");
    let named = format!("postgres://postgres@{hosts}/{name}?target_session_attrs=");
    for wanted in ["read-write", "primary"] {
        let url = format!("{named}{wanted}&connect_timeout=5");
        works(&app, |settings| settings.database_url = url, wanted).await;
    }
    // The same by parameters, and a replica of the same hosts.
    let url = format!(
        "postgresql:///{name}?user=postgres&host=127.0.0.1,127.0.0.1&port={standby},{primary}&target_session_attrs=read-write"
    );
    let reading = format!("{named}standby");
    let both = |settings: &mut Settings| {
        settings.database_url = url;
        settings.read_database_url = Some(reading);
    };
    works(&app, both, "by parameters").await;
    // Nothing is said to be worth another try that does not mend itself.
    let told =
        refused(&format!("postgres://postgres@127.0.0.1:{standby}/{name}"), &app.folder(), &["serve", "--dev"]).await;
    assert!(told.contains("only reads") && told.contains("target_session_attrs"), "{told}");
    for (parameter, rule) in [
        ("target_session_attrs=writer", "read-write"),
        ("connect_timeout=0", "1 to 60 seconds"),
        ("channel_binding=require", "is no parameter"),
        ("sslrootcert=/not/there.pem", "/not/there.pem"),
        ("passfile=/not/there", "/not/there"),
        ("sslmode=full", "full"),
        ("port=1,2", "hosts"),
    ] {
        let url = format!("postgres://postgres@127.0.0.1:{primary}/{name}?{parameter}");
        for arguments in [&["serve", "--dev"][..], &["migrate", "--dry-run"]] {
            let told = refused(&url, &app.folder(), arguments).await;
            assert!(told.contains(parameter.split('=').next().unwrap_or_default()) && told.contains(rule), "{told}");
            assert!(!told.contains("try again"), "{told}");
        }
    }
    for (url, rule) in [
        (format!("postgres://postgres@127.0.0.1:{primary}/nowhere"), "createdb"),
        (format!("postgres://nobody@127.0.0.1:{primary}/{name}"), "role"),
        (format!("postgres://postgres@127.0.0.1:{primary}/{name}?sslmode=require"), "TLS"),
    ] {
        let told = refused(&url, &app.folder(), &["serve", "--dev"]).await;
        assert!(told.contains(rule) && told.contains(primary) && !told.contains("try again"), "{told}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_sockets_is_a_host() {
    let app = TestApp::start(Database::Postgres).await;
    let (port, name) = (port_of(&app.url).to_owned(), name_of(&app.url).to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let listener = UnixListener::bind(folder.path().join(format!(".s.PGSQL.{port}"))).expect("a socket");
    let server = format!("127.0.0.1:{port}");
    let carried = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("somebody connects");
            let server = server.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.expect("PostgreSQL answers");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let folder = folder.path().display().to_string();
    let written = folder.replace('/', "%2F");
    for url in [
        format!("postgres:///{name}?host={folder}&port={port}&user=postgres"),
        format!("postgres://postgres@/{name}?host={folder}&port={port}"),
        format!("postgres://postgres@{written}:{port}/{name}"),
        format!("postgres://postgres@127.0.0.1:1,{written}:{port}/{name}"),
    ] {
        works(&app, |settings| settings.database_url = url.clone(), &url).await;
    }
    carried.abort();
    app.finish().await;
}

/// Ends the sessions of a role, so that new ones are opened.
async fn end_sessions(server: &Server, role: &str) {
    execute(&server.url, format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_changes_is_asked_for_anew_and_never_told() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    execute(&server.url, "CREATE ROLE carol LOGIN PASSWORD 'first-secret'".to_owned()).await;
    execute(&server.url, "CREATE DATABASE carol OWNER carol".to_owned()).await;
    server.write("pg_hba.conf", "host all postgres 127.0.0.1/32 trust\nhost all carol 127.0.0.1/32 scram-sha-256\n");
    server.reload().await;
    let port = server.port();
    let url = format!("postgres://carol@127.0.0.1:{port}/carol");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("allowed");
        path.display().to_string()
    };
    let alone = write("alone", "first-secret\n");
    let listed = write("listed", "*:*:*:other:x\n127.0.0.1:*:carol:carol:first-secret\n");
    // As programs for tokens do, it wants to know for whom.
    let command = format!("test \"$PGUSER@$PGHOST:$PGPORT/$PGDATABASE\" = carol@127.0.0.1:{port}/carol && cat {alone}");
    let of = |name: &str, value: &str| {
        let mut command = ledgerline(&url, folder.path());
        command.env(name, value);
        command
    };
    let named = |url: &str| ledgerline(url, folder.path());
    let place = crate::crash::Place::of("acme", url.clone(), folder.path().to_owned());
    let client = place.client();
    let services = [
        Service::run(of("LEDGERLINE_DATABASE_PASSWORD_FILE", &alone)).await,
        Service::run(of("LEDGERLINE_DATABASE_PASSWORD_COMMAND", &command)).await,
        Service::run(named(&format!("{url}?passfile={listed}"))).await,
    ];
    let mut recorded = 0;
    for password in ["first-secret", "second:sec\\\\ret", "third-secret"] {
        execute(&server.url, format!("ALTER ROLE carol PASSWORD '{}'", password.replace("\\\\", "\\"))).await;
        write("alone", &password.replace("\\\\", "\\"));
        write("listed", &format!("127.0.0.1:{port}:carol:carol:{password}\n"));
        end_sessions(&server, "carol").await;
        for service in &services {
            // The connections that were ended are found out one by one.
            let mut tries = 0;
            loop {
                match client.record(&service.base, &[event("a")]).await.expect("an answer") {
                    Ok(_) => break,
                    Err(error) => assert!(tries < 12, "{password}: {error:?}: {:#?}", service.log()),
                }
                tries += 1;
            }
            recorded += 1;
        }
    }
    let mut db =
        <sqlx::PgConnection as sqlx::Connection>::connect(&format!("postgres://postgres@127.0.0.1:{port}/carol"))
            .await
            .expect("it answers");
    let size: i64 = sqlx::query_scalar("SELECT size FROM organization_head").fetch_one(&mut db).await.expect("a size");
    assert_eq!(size, recorded);
    // What is wrong with them is said, and not what they are.
    let open = write("open", "*:*:*:*:third-secret");
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("allowed");
    let wrong = write("wrong", "wrong-secret");
    let mut told = Vec::new();
    for (command, part) in [
        (of("LEDGERLINE_DATABASE_PASSWORD_FILE", &wrong), "lets in"),
        (of("LEDGERLINE_DATABASE_PASSWORD_FILE", "/not/there"), "/not/there"),
        (of("LEDGERLINE_DATABASE_PASSWORD_COMMAND", "echo third-secret; exit 3"), "has failed"),
        (of("LEDGERLINE_DATABASE_PASSWORD_COMMAND", "echo third-secret; sleep 60"), "10 s"),
        (named(&format!("{url}?passfile={open}")), "chmod 600"),
        (named(&format!("postgres://carol:third-secret@127.0.0.1:{port}/carol?passfile={open}")), "one password"),
        (named(&format!("postgres://carol:wrong-secret?@127.0.0.1:{port}/carol")), "postgres://"),
    ] {
        let mut command = command;
        command.args(["serve", "--dev"]);
        let said = refused_as(command).await;
        assert!(said.contains(part) && !said.contains("try again"), "{part}: {said}");
        told.push(said);
    }
    for service in services {
        told.extend(service.log());
    }
    assert!(!told.iter().any(|line| line.contains("secret") || line.contains("sec\\ret")), "{told:#?}");
}

/// A certificate of version 1, as `openssl x509 -req` makes one without extensions; it is for localhost, for a century.
const OF_VERSION_1: (&str, &str) = (include_str!("server/v1.crt"), include_str!("server/v1.key"));

async fn show(server: &Server, certificate: &str, key: &str) {
    server.write("server.crt", certificate);
    server.write("server.key", key);
    server.set("ssl", "on").await;
    server.reload().await;
    // When it has read them cannot be asked.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_asked_for_as_sslmode_says() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut params = CertificateParams::new(Vec::new()).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "the authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let signed = |names: &[&str], common: &str, usage: ExtendedKeyUsagePurpose| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &authority).expect("a certificate").pem(), key.serialize_pem())
    };
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let root = write("root.crt", &authority.pem());
    let (good, good_key) = signed(&["localhost"], "localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let (other, other_key) = signed(&["elsewhere.example"], "elsewhere", ExtendedKeyUsagePurpose::ServerAuth);
    let (carol, carol_key) = signed(&[], "carol", ExtendedKeyUsagePurpose::ClientAuth);
    let (carol, carol_key) = (write("carol.crt", &carol), write("carol.key", &carol_key));
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    execute(&server.url, "CREATE ROLE carol LOGIN".to_owned()).await;
    execute(&server.url, "CREATE DATABASE carol OWNER carol".to_owned()).await;
    server.write("root.crt", &authority.pem());
    server.set("ssl_ca_file", "root.crt").await;
    let hba = "host all postgres 127.0.0.1/32 trust\nhostssl all carol 127.0.0.1/32 ";
    server.write("pg_hba.conf", &format!("{hba}trust\n"));
    let base = format!("postgres://carol@localhost:{}/carol", server.port());
    let serves = async |parameters: &str| {
        let url = format!("{base}?{parameters}");
        let service = Service::start(&url, folder.path()).await;
        let place = crate::crash::Place::of("acme", url, folder.path().to_owned());
        let done = place.client().record(&service.base, &[event("a")]).await.expect("an answer");
        assert!(done.is_ok(), "{parameters}: {done:?}");
        assert!(service.terminate().await.success());
    };
    let says = async |parameters: &str, parts: &[&str]| {
        let told = refused(&format!("{base}?{parameters}"), folder.path(), &["serve", "--dev"]).await;
        for part in parts.iter().chain(&["localhost"]) {
            assert!(told.contains(part), "{parameters}, {part}: {told}");
        }
        assert!(!told.contains("try again"), "{told}");
    };
    let (full, ca) =
        (format!("sslmode=verify-full&sslrootcert={root}"), format!("sslmode=verify-ca&sslrootcert={root}"));

    show(&server, &good, &good_key).await;
    for parameters in ["", "sslmode=prefer", "sslmode=allow", "sslmode=require", &full, &ca] {
        serves(parameters).await;
    }
    says("sslmode=verify-full", &["certificate", "nobody vouches for it", "sslrootcert"]).await;
    says("sslmode=disable", &["lets in"]).await;
    // Named for another host: that is asked for by one mode alone. A named authority is asked in `require`, too.
    show(&server, &other, &other_key).await;
    for parameters in ["sslmode=require", &ca, &ca.replace("verify-ca", "require")] {
        serves(parameters).await;
    }
    says(&full, &["certificate", "another name", "verify-ca"]).await;
    // A certificate that nobody has signed.
    show(&server, &own.cert.pem(), &own.signing_key.serialize_pem()).await;
    for parameters in ["", "sslmode=require"] {
        serves(parameters).await;
    }
    for parameters in [&full, &ca, &ca.replace("verify-ca", "require")] {
        says(parameters, &["certificate", "nobody vouches for it"]).await;
    }
    // PostgreSQL's manual makes one of version 1.
    show(&server, OF_VERSION_1.0, OF_VERSION_1.1).await;
    for parameters in ["", "sslmode=prefer", "sslmode=allow", "sslmode=require"] {
        serves(parameters).await;
    }
    for parameters in [&full, &ca] {
        says(parameters, &["certificate", "version 1", "subjectAltName"]).await;
    }
    // A client that has to show one itself.
    show(&server, &good, &good_key).await;
    server.write("pg_hba.conf", &format!("{hba}cert\n"));
    server.reload().await;
    says(&full, &["role"]).await;
    serves(&format!("{full}&sslcert={carol}&sslkey={carol_key}")).await;
    says(&format!("{full}&sslcert={carol}&sslkey=/not/there"), &["sslkey", "/not/there"]).await;
}
