//! `tandem certs`.

use std::process::ExitCode;

use anyhow::Context;
use tandem_runtime::certs;
use tandem_runtime::placement::NodeName;

use crate::cli::CertsCommand;
use crate::say;

/// Makes a CA or a node's certificate and says which files there are now.
pub(crate) fn run(command: &CertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        CertsCommand::Ca(args) => {
            std::fs::create_dir_all(&args.dir)
                .with_context(|| format!("cannot make {}", args.dir.display()))?;
            certs::make_ca(&args.dir)?;
            certs::make_cookie(&args.dir)?;
            let dir = args.dir.display();
            say(&format!(
                "made {dir}/ca.pem, {dir}/ca.key and {dir}/cookie\n\
                 every node needs ca.pem and cookie; nobody but you needs ca.key\n"
            ))?;
        }
        CertsCommand::Node(args) => {
            let name: NodeName = args.name.parse()?;
            let made = certs::make_node_cert(&args.dir, &name, &args.host)?;
            say(&format!("made {} and {}\n", made.cert.display(), made.key.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
