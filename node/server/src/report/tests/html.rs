use expect_test::expect;

use super::super::html;
use super::{SCRIPT, empty, sample};

/// The cards of the first job.
fn cards(page: &str) -> Vec<&str> {
    page.split("<article").skip(1).map(|rest| rest.split("</article>").next().unwrap()).collect()
}

#[test]
fn a_card_says_why() {
    let page = html(&sample());
    expect![[r#"
         class="person" id="job-1-2" aria-labelledby="job-1-2-name">
        <div class="dial" role="img" aria-label="Score 41.10 of 100"><svg viewBox="0 0 36 36" aria-hidden="true">
        <circle class="track" cx="18" cy="18" r="15.5"/>
        <circle class="value" cx="18" cy="18" r="15.5" pathLength="100" stroke-dasharray="41.10 100"/>
        </svg><span aria-hidden="true">41.10</span></div>
        <div class="who">
        <h3 id="job-1-2-name"><span class="rank"><span class="aside">Rank </span>2</span> <bdi dir="auto">=HYPERLINK(&quot;x&quot;)</bdi></h3>
        <p class="facts"><span>0 of 3 skills</span><span>0 of 1 must</span><span class="file"><bdi dir="auto">-people/formula.pdf</bdi></span></p>
        <p class="note"><b>Read with care.</b> Only 55 % of what this job asks about is known of this person.</p>
        </div>
        <ul class="bars" aria-label="Score by category">
        <li><span class="label">Skills</span>
        <span class="bar" role="meter" aria-label="Skills" aria-valuemin="0" aria-valuemax="100" aria-valuenow="9">
        <span style="width:9.99%"></span></span><span class="number">9</span></li>
        <li class="unknown"><span class="label">Job title</span><span class="words">The résumé does not say</span></li>
        <li><span class="label">Similarity</span>
        <span class="bar" role="meter" aria-label="Similarity" aria-valuemin="0" aria-valuemax="100" aria-valuenow="50">
        <span style="width:50.00%"></span></span><span class="number">50</span></li>
        <li class="unknown"><span class="label">Experience</span><span class="words">The résumé does not say</span></li>
        <li class="unknown"><span class="label">Education</span><span class="words">The résumé does not say</span></li>
        <li class="unasked"><span class="label">Languages</span><span class="words">Not asked for</span></li>
        </ul>
        <div class="skills">
        <h4>Not found, with the points each would add</h4>
        <ul class="chips missing">
        <li class="must"><bdi dir="auto">Rust</bdi> <small>must</small> <span class="gain">+12.4<span class="aside"> points if present</span></span></li>
        <li class="required"><bdi dir="auto">Docker</bdi> <small>required, partly via <bdi dir="auto">Podman</bdi></small> <span class="gain">+3.9<span class="aside"> points if present</span></span></li>
        <li class="nice"><bdi dir="auto">GraphQL</bdi> <small>nice</small></li>
        </ul>
        </div>
    "#]].assert_eq(cards(&page)[1]);
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_nothing() {
    let page = html(&sample());
    for foreign in ["http://", "https://", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("default-src 'none'"));
    let addresses: Vec<&str> =
        page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(addresses.len() >= 5);
    for address in addresses {
        let id = address.strip_prefix('#').unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn texts_from_files_are_never_markup() {
    let mut report = sample();
    let nasty = "</title><img src=x onerror='a'>\"&\u{0}";
    report.jobs[0].title = nasty.to_owned();
    report.jobs[0].file = nasty.to_owned();
    report.jobs[0].organization = Some(nasty.to_owned());
    report.broken[0].file = nasty.to_owned();
    report.broken[0].reason = nasty.to_owned();
    let person = &mut report.jobs[0].people[0];
    for text in [&mut person.name, &mut person.file, &mut person.found[0].name, &mut person.missing[0].name] {
        *text = nasty.to_owned();
    }
    person.headline = Some(nasty.to_owned());
    person.found[1].by = Some(nasty.to_owned());
    let page = html(&report);
    assert!(!page.contains("<img") && !page.contains(SCRIPT) && !page.contains('\u{0}'));
    let written = "&lt;/title&gt;&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp; ";
    assert_eq!(page.matches(written).count(), page.matches("onerror").count());
    assert!(page.matches(written).count() >= 11);
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
}

#[test]
fn every_element_is_closed() {
    for page in [html(&sample()), html(&empty())] {
        for name in [
            "article", "section", "div", "ul", "ol", "li", "p", "span", "bdi", "table", "td", "th", "tr",
            "dl", "h2", "h3",
        ] {
            let opened =
                page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
            assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
        }
    }
}

#[test]
fn the_weights_are_the_reports_own() {
    let mut report = sample();
    for person in report.jobs.iter_mut().flat_map(|job| &mut job.people) {
        person.categories[0].weight = 4_250;
    }
    assert!(html(&report).contains("42.50 %"));
    assert!(html(&empty()).contains("38 %"));
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let page = html(&empty());
    assert!(page.contains("No job could be read"));
    assert!(page.contains("Every file could be read."));
    assert!(!page.contains("id=\"unread\""));
}
