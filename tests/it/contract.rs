//! The contract of the API, one test for each row of the requirements and named by it, against real nodes: each row on a
//! node that is all there is, and all rows on a node of a cluster.

use tandem_tests::client::Client;
use tandem_tests::cluster::Cluster;
use tandem_tests::paths;
use tandem_tests::sandbox::Sandbox;
use tandem_tests::services::{self, Services};

mod resources;
mod secured;
mod shapes;
mod uploads;
mod versions;

/// A row: what it demands of a node. Rows share the nodes of a cluster, so each works on documents of its own.
type Row = (&'static str, fn(&Client));

/// Makes a test of each row, and a list of them all.
macro_rules! rows {
    ($($module:ident::$row:ident),* $(,)?) => {
        const ROWS: &[Row] = &[$((stringify!($row), $module::$row)),*];

        $(
            #[test]
            fn $row() {
                on_one_machine(stringify!($row), $module::$row);
            }
        )*
    };
}

rows! {
    resources::l1_resumes_are_queued_listed_and_shown_with_their_skills,
    resources::l2_jobs_come_as_json_or_as_a_file_and_show_their_requirements,
    resources::l3_a_match_is_queued_and_ends_with_its_summary,
    resources::s2_languages_are_kept_and_found_out,
    resources::s3_resumes_come_as_text_or_as_a_file_and_say_when_they_are_indexed,
    resources::s3_a_resume_is_shown_without_whose_it_is,
    resources::s5_a_job_has_a_title_keeps_instructions_and_shows_its_latest_result,
    resources::s5_a_posting_of_schema_org_is_a_job,
    resources::r4_the_same_content_is_one_document_and_a_key_belongs_to_one,
    uploads::s3_signed_upload_is_taken_in_as_any_other_file,
    uploads::s11_signed_urls_take_one_file_as_it_was_announced,
    versions::s3_a_new_version_takes_the_place_of_the_one_before,
    versions::s4_without_a_token_there_are_no_callbacks,
    versions::s5_a_refined_job_is_queued_again_and_keeps_its_result,
    shapes::s1_every_answer_is_in_the_envelope,
    shapes::r7_probes_answer_as_the_documents_say,
}

fn on_one_machine(name: &str, row: fn(&Client)) {
    if !paths::has_model(name) {
        return;
    }
    let mut sandbox = Sandbox::start();
    row(&sandbox.client());
    sandbox.stop();
}

#[test]
fn every_row_holds_on_a_node_of_a_cluster() {
    let name = "every_row_holds_on_a_node_of_a_cluster";
    if !services::are_there(name) || !paths::has_model(name) {
        return;
    }
    let services = Services::shared("contract");
    let cluster = Cluster::start(&services, 2);
    let client = cluster.client(1);
    for (name, row) in ROWS {
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| row(&client)));
        assert!(held.is_ok(), "{name} does not hold on a node of a cluster");
    }
    uploads::hold_across_nodes(&cluster.client(0), &client);
    secured::hold_on_a_node_of(&cluster);
    cluster.stop();
}
