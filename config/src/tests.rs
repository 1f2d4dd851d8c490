use std::path::Path;

use expect_test::{Expect, expect};
use toml::Value;

use super::*;

fn resolve(file: &str, env: &[(&str, &str)]) -> Result<NodeConfig, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tandem.toml");
    std::fs::write(&path, file).unwrap();
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    NodeConfig::resolve(Some(&path), env, &[])
}

fn refused(file: &str, env: &[(&str, &str)], expected: &Expect) {
    let message = resolve(file, env).unwrap_err().to_string();
    let folder = std::env::temp_dir();
    // The folder's name differs each time; the file's does not.
    let shown: Vec<&str> = message
        .split(' ')
        .map(|word| {
            if word.contains(&*folder.to_string_lossy()) {
                word.rsplit('/').next().unwrap_or(word)
            } else {
                word
            }
        })
        .collect();
    let shown = shown.join(" ").replace("(tandem.toml", "(from tandem.toml").replace("(from from", "(from");
    expected.assert_eq(&shown);
}

#[test]
fn the_defaults_are_valid_and_loopback() {
    let config = NodeConfig::resolve(None, std::iter::empty(), &[]).unwrap();
    assert_eq!(config.edge.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.index.shards, 4);
    assert_eq!(config.as_of(), None);
}

#[test]
fn the_environment_goes_over_the_file_and_the_command_line_over_both() {
    let file = "[index]\nshards = 2\n[edge]\nlisten = \"127.0.0.1:1\"";
    let env = [("TANDEM_INDEX__SHARDS", "8"), ("TANDEM_MODEL_DIR", "not configuration"), ("HOME", "/")];
    let config = resolve(file, &env).unwrap();
    assert_eq!((config.index.shards, config.edge.listen.port()), (8, 1));
    let over = [("index.shards", Value::Integer(16))];
    let env = [("TANDEM_INDEX__SHARDS".to_owned(), "8".to_owned())].into_iter();
    assert_eq!(NodeConfig::resolve(None, env, &over).unwrap().index.shards, 16);
}

#[test]
fn unknown_keys_name_the_nearest_valid_one() {
    refused(
        "[edge]\nlistn = \"127.0.0.1:1\"",
        &[],
        &expect![[r"tandem.toml sets the unknown key `edge.listn`; did you mean `edge.listen`?"]],
    );
    refused(
        "shards = 3",
        &[],
        &expect![[r"tandem.toml sets the unknown key `shards`; did you mean `index.shards`?"]],
    );
    refused(
        "",
        &[("TANDEM_EDGE__LISTNE", "x")],
        &expect![[
            r"the environment variable TANDEM_EDGE__LISTNE sets the unknown key `edge.listne`; did you mean `edge.listen`?"
        ]],
    );
}

#[test]
fn values_that_do_not_fit_name_key_and_reason() {
    refused(
        "[index]\nshards = \"four\"",
        &[],
        &expect![[r"`index.shards` (from tandem.toml): expected integer, found string"]],
    );
    refused(
        "[index]\nshards = 0",
        &[],
        &expect![[r"`index.shards` (from tandem.toml): 0 is not in 1..=1024"]],
    );
    refused(
        "",
        &[("TANDEM_EDGE__LISTEN", "0.0.0.0:80")],
        &expect![[
            r"`edge.listen` (from the environment variable TANDEM_EDGE__LISTEN): without accounts the edge listens on loopback only, such as 127.0.0.1:8080: to listen elsewhere, set auth.enabled = true"
        ]],
    );
    refused(
        "[edge]\nlisten = \"here\"",
        &[],
        &expect![[r"`edge.listen` (from tandem.toml): invalid socket address syntax"]],
    );
    refused(
        "[log]\nformat = \"xml\"",
        &[],
        &expect![[r"`log.format` (from tandem.toml): unknown variant `xml`, expected `text` or `json`"]],
    );
    refused(
        "[matching.weights]\nskills = 1",
        &[],
        &expect![[
            r"`matching.weights.skills` (from tandem.toml): weights must sum to 10000, these sum to 6201"
        ]],
    );
    refused(
        "[parsing]\nas_of = \"soon\"",
        &[],
        &expect![[r"`parsing.as_of` (from tandem.toml): expected a month such as 2026-11, or nothing"]],
    );
    refused(
        "[log]\nlevel = \"verbose\"",
        &[],
        &expect![[
            r"`log.level` (from tandem.toml): `verbose` is no level or filter: expected error, warn, info, debug, trace or off, or target=level"
        ]],
    );
    refused(
        "[queue]\nlease_s = 300",
        &[],
        &expect![[r"`queue.lease_s` (from tandem.toml): must be shorter than queue.visibility_timeout_s"]],
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = NodeConfig::resolve(Some(Path::new("/no/such.toml")), std::iter::empty(), &[]).unwrap_err();
    assert!(error.to_string().contains("/no/such.toml"));
}

/// A cluster's node in a file, with one line in place of another.
fn cluster(instead: &str, of: &str) -> String {
    let file = r#"
[node]
roles = ["edge", "index", "match"]
[store]
engine = "scylla"
[queue]
engine = "rabbitmq"
[objects]
engine = "s3"
[objects.s3]
bucket = "originals"
[mesh]
listen = "0.0.0.0:7080"
advertise = "node-1:7080"
ca = "ca.pem"
cert = "node.pem"
key = "node.key"
cookie_file = "cookie"
"#;
    assert!(file.contains(of), "{of}");
    if of.is_empty() { file.to_owned() } else { file.replace(of, instead) }
}

#[test]
fn a_node_of_a_cluster_says_where_everything_lies() {
    let env = [("TANDEM_STORE__SCYLLA__NODES", "10.0.0.1:9042, 10.0.0.2:9042"), ("TANDEM_MESH__SEEDS", "")];
    let config = resolve(&cluster("", ""), &env).unwrap();
    assert_eq!(config.store.scylla.nodes, ["10.0.0.1:9042", "10.0.0.2:9042"]);
    assert_eq!(config.mesh.seeds, Vec::<String>::new());
    assert!(config.has(Role::Index) && !config.has(Role::Parse));
}

#[test]
fn parts_of_a_cluster_that_do_not_fit_one_another_are_refused() {
    let refused = |instead: &str, of: &str| {
        let Err(ConfigError::BadValue { key, .. }) = resolve(&cluster(instead, of), &[]) else {
            panic!("{of} -> {instead} is accepted")
        };
        key
    };
    assert_eq!(refused("engine = \"embedded\"", "engine = \"rabbitmq\""), "queue.engine");
    assert_eq!(refused("engine = \"folder\"", "engine = \"s3\""), "objects.shared");
    assert_eq!(refused("", "bucket = \"originals\""), "objects.s3.bucket");
    assert_eq!(refused("listen = \"7080\"", "listen = \"0.0.0.0:7080\""), "mesh.listen");
    assert_eq!(refused("", "advertise = \"node-1:7080\""), "mesh.advertise");
    assert_eq!(refused("", "key = \"node.key\""), "mesh.key");
    assert_eq!(refused("roles = []", "roles = [\"edge\", \"index\", \"match\"]"), "node.roles");
    let without_mesh = cluster("roles = [\"match\"]", "roles = [\"edge\", \"index\", \"match\"]")
        .replace("listen = \"0.0.0.0:7080\"", "");
    let Err(ConfigError::BadValue { key, .. }) = resolve(&without_mesh, &[]) else { panic!("accepted") };
    assert_eq!(key, "mesh.listen");
}

#[test]
fn secrets_are_never_shown() {
    let env = [
        ("TANDEM_OBJECTS__S3__SECRET_ACCESS_KEY", "hunter2"),
        ("TANDEM_QUEUE__RABBITMQ__URLS", "amqp://me:hunter2@localhost"),
    ];
    let config = resolve("", &env).unwrap();
    assert_eq!(config.objects.s3.secret_access_key.reveal(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}
