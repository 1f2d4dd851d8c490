//! What is ranked is blind to the person: other names, addresses, births and years of graduation, the same scores.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem_tests::client::{Kind, Row, list};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, sample};

/// A résumé of the sample: its file, and what stands in it about the person.
struct Resume {
    file: &'static str,
    name: &'static str,
    email: &'static str,
    phone: &'static str,
    home: &'static str,
    /// The years of study as they are written, and years of another life written alike.
    studies: (&'static str, [&'static str; 2]),
}

const RESUMES: [Resume; 12] = [
    Resume {
        file: "jonas-lindqvist.txt",
        name: "JONAS LINDQVIST",
        email: "jonas.lindqvist@example.org",
        phone: "+46 8 555 0107",
        home: "Uppsala, Sweden\nhttps",
        studies: ("2022 - 2025", ["1989 - 1992", "2001 - 2004"]),
    },
    Resume {
        file: "liam-corrigan.txt",
        name: "Liam Corrigan",
        email: "liam.corrigan@example.org",
        phone: "+353 1 555 0198",
        home: "Dublin, Ireland\n\nProfile",
        studies: ("2014 – 2016:", ["1984 – 1986:", "2019 – 2021:"]),
    },
    Resume {
        file: "ryan-castellano.txt",
        name: "RYAN CASTELLANO",
        email: "ryan.castellano@example.com",
        phone: "458-555-0135",
        home: "Portland, OR\n\nSUMMARY",
        studies: ("2020 - 2024", ["1990 - 1994", "1975 - 1979"]),
    },
    Resume {
        file: "cody-renfro.txt",
        name: "Cody Renfro",
        email: "cody.renfro@example.org",
        phone: "737-555-0188",
        home: "Round Rock, Texas\n",
        studies: ("2021 - 2023 | High", ["1981 - 1983 | High", "1999 - 2001 | High"]),
    },
    Resume {
        file: "aisha-pemberton.md",
        name: "Aisha Pemberton",
        email: "aisha.pemberton@example.com",
        phone: "303-555-0113",
        home: "Denver, CO (remote)",
        studies: ("2017 - 2021", ["1987 - 1991", "2005 - 2009"]),
    },
    Resume {
        file: "ethan-prowse.md",
        name: "Ethan Prowse",
        email: "ethan.prowse@example.com",
        phone: "0117 555 0102",
        home: "Bristol, UK",
        studies: ("2019 - 2022", ["1979 - 1982", "1995 - 1998"]),
    },
    Resume {
        file: "samuel-ocampo.md",
        name: "Samuel Ocampo",
        email: "samuel.ocampo@example.org",
        phone: "+1 437 555 0190",
        home: "Toronto, Canada · [",
        studies: ("*2017 - 2021*", ["*1988 - 1992*", "*2000 - 2004*"]),
    },
    Resume {
        file: "tomasz-wrona.md",
        name: "Tomasz Wrona",
        email: "tomasz.wrona@example.org",
        phone: "+48 22 555 0171",
        home: "Wrocław, Poland · [",
        studies: ("*2014–2018*", ["*1984–1988*", "*2002–2006*"]),
    },
    Resume {
        file: "yousef-darwish.md",
        name: "Yousef Darwish",
        email: "yousef.darwish@example.org",
        phone: "+962 6 555 0191",
        home: "Amman, Jordan (available",
        studies: ("*2014 – 2018*", ["*1994 – 1998*", "*1983 – 1987*"]),
    },
    Resume {
        file: "natalie-brandt.html",
        name: "Natalie Brandt",
        email: "natalie.brandt@example.com",
        phone: "647-555-0116",
        home: "Toronto, Ontario</p>",
        studies: ("2015 – 2019", ["1985 – 1989", "1997 – 2001"]),
    },
    Resume {
        file: "keiko-hayashida.html",
        name: "Keiko Hayashida",
        email: "keiko.hayashida@example.com",
        phone: "541-555-0180",
        home: "Eugene, Oregon</p>",
        studies: ("2019 - 2023", ["1989 - 1993", "2004 - 2008"]),
    },
    Resume {
        file: "beatriz-almeida.html",
        name: "Beatriz Almeida",
        email: "beatriz.almeida@example.org",
        phone: "+44 131 555 0187",
        home: "Edinburgh, UK</p>",
        studies: ("2017 – 2019", ["1986 – 1988", "1999 – 2001"]),
    },
];

/// Somebody else.
struct Person {
    name: &'static str,
    email: &'static str,
    phone: &'static str,
    home: &'static str,
    /// Lines such as forms ask for.
    form: [&'static str; 4],
    /// What others say.
    praise: &'static str,
}

/// Nobody in particular: the résumé keeps its own name, and is given the lines that the others have too.
const SELF: usize = 0;
const PEOPLE: [Person; 3] = [
    Person {
        name: "",
        email: "",
        phone: "",
        home: "",
        form: [
            "Date of birth: 4 March 1999",
            "Pronouns: she/her",
            "Gender: female",
            "Address: 12 Larch Road, Bristol BS1 4ND",
        ],
        praise: "Colleagues say that she keeps her word and that one can count on her.",
    },
    Person {
        name: "Fatima Al-Sayed",
        email: "fatima.alsayed@example.net",
        phone: "+971 4 555 0123",
        home: "Dubai, United Arab Emirates",
        form: [
            "Date of birth: 17 November 1961",
            "Pronouns: they/them",
            "Gender: nonbinary",
            "Address: 7 Corniche Street, Dubai 00000",
        ],
        praise: "Colleagues say that they keep their word and that one can count on them.",
    },
    Person {
        name: "Zhang Wei",
        email: "zw1970@example.com",
        phone: "+49 30 555 0142",
        home: "Rostock, Germany",
        form: [
            "Date of birth: 23 July 1978",
            "Pronouns: he/him",
            "Gender: male",
            "Address: 30 Hafenallee, 18055 Rostock",
        ],
        praise: "Colleagues say that he keeps his word and that one can count on him.",
    },
];

/// Replaces `from`, which must be there.
fn swapped(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the sample holds no {from:?} any more");
    text.replace(from, to)
}

/// The résumé of `resume` as `PEOPLE[person]` would have written it.
fn written_by(resume: &Resume, person: usize) -> String {
    let other = &PEOPLE[person];
    let path = paths::sample_resumes().join(resume.file);
    let mut text = std::fs::read_to_string(path).unwrap();
    if person != SELF {
        let upper = other.name.to_uppercase();
        let name = if resume.name.chars().any(char::is_lowercase) { other.name } else { &upper };
        text = swapped(&text, resume.name, name);
        text = swapped(&text, resume.phone, other.phone);
        // The home's text ends with what follows it, so that a place of work of the same name stays.
        let kept = resume.home.find(['\n', '<', '·', '(']).unwrap_or(resume.home.len());
        let (home, behind) = resume.home.split_at(kept);
        let space = if home.ends_with(' ') { " " } else { "" };
        text = swapped(&text, resume.home, &format!("{}{space}{behind}", other.home));
        let (years, others) = resume.studies;
        text = swapped(&text, years, others[person - 1]);
    }
    let text = with_form(&text, resume, other);
    if person == SELF { text } else { swapped(&text, resume.email, other.email) }
}

/// Puts the form's lines behind the block that holds the e-mail address, and what others say at the end.
fn with_form(text: &str, resume: &Resume, person: &Person) -> String {
    let (before, behind) = text.split_once(resume.email).expect("the e-mail address is there");
    let extension = resume.file.rsplit('.').next().unwrap();
    let (end, form, praise) = match extension {
        "html" => ("</p>", person.form.map(|line| format!("<p>{line}</p>")).concat(), "".to_owned()),
        "md" => (
            "\n",
            person.form.map(|line| format!("{line}  \n")).concat(),
            format!("\n## Testimonials\n\n{}\n", person.praise),
        ),
        _ => (
            "\n",
            person.form.map(|line| format!("{line}\n")).concat(),
            format!("\nREFERENCES\n\n{}\n", person.praise),
        ),
    };
    let (line, rest) = behind.split_once(end).expect("the line ends");
    // Two spaces end a line of Markdown; elsewhere they are nothing.
    let line = if extension == "md" { format!("{}  ", line.trim_end()) } else { line.to_owned() };
    format!("{before}{}{line}{end}{form}{rest}{praise}", resume.email)
}

/// What must not differ between rows: everything but their place and the digests of the originals.
fn reasons(row: &Row) -> Value {
    let mut line = row.line.clone();
    let members = line.as_object_mut().unwrap();
    for place in ["item", "rank", "query_id", "candidate_id", "receipt"] {
        members.remove(place).unwrap_or_else(|| panic!("a row without `{place}`"));
    }
    line
}

#[test]
fn invariant_8_no_score_depends_on_who_somebody_is() {
    if !paths::has_model("invariant_8_no_score_depends_on_who_somebody_is") {
        return;
    }
    let sandbox = Sandbox::start();
    let client = sandbox.client();
    let jobs = client.submit_folder(Kind::Job, &paths::sample_jobs());
    let mut versions: Vec<[String; 3]> = Vec::new();
    for resume in &RESUMES {
        versions.push([0, 1, 2].map(|person| {
            let content = written_by(resume, person);
            // Names of files tell names of people, so they are swapped as well.
            let name = format!("{person}.{}", resume.file.rsplit('.').next().unwrap());
            client.accepted(Kind::Resume, &name, content.as_bytes())
        }));
    }
    client.expect_complete(Kind::Job, jobs.iter().map(|(_, id)| id));
    client.expect_complete(Kind::Resume, versions.iter().flatten());
    let queries: Vec<&String> = jobs.iter().map(|(_, id)| id).collect();
    let rows = client.run("job", &queries, 1000);
    assert_eq!(rows.len(), jobs.len() * RESUMES.len() * PEOPLE.len());
    let by_pair: BTreeMap<(&str, &str), &Row> =
        rows.iter().map(|row| ((row.query.as_str(), row.candidate.as_str()), row)).collect();

    let mut different = Vec::new();
    for (job, job_id) in &jobs {
        for (resume, ids) in RESUMES.iter().zip(&versions) {
            let [own, second, third] =
                ids.each_ref().map(|id| reasons(by_pair[&(job_id.as_str(), id.as_str())]));
            for (other, person) in [(second, 1), (third, 2)] {
                if own != other {
                    let name = PEOPLE[person].name;
                    different.push(format!(
                        "{job}, {} as {name}:\n{}",
                        resume.file,
                        difference(&own, &other)
                    ));
                }
            }
        }
    }
    let shown = different.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} rows differ, such as\n{shown}", different.len());
}

/// The members that differ, and of the categories only those that do.
fn difference(a: &Value, b: &Value) -> String {
    let members = a.as_object().unwrap().iter().filter(|(name, value)| b.get(name.as_str()) != Some(value));
    let shown = members.map(|(name, value)| {
        if name == "categories" {
            let pairs = list(a, "categories").iter().zip(list(b, "categories")).filter(|(a, b)| a != b);
            return pairs.map(|(a, b)| format!("    {} -> {}\n", a, b)).collect::<String>();
        }
        format!("    {name}: {value} -> {}\n", b[name.as_str()])
    });
    shown.collect()
}

#[test]
fn the_swaps_change_what_they_should() {
    for resume in &RESUMES {
        let [own, second, third] = [0, 1, 2].map(|person| written_by(resume, person));
        assert!(own.contains(resume.name) && own.contains(PEOPLE[0].form[0]), "{}", resume.file);
        for (text, person) in [(second, &PEOPLE[1]), (third, &PEOPLE[2])] {
            for gone in [resume.name, resume.email, resume.phone, resume.studies.0] {
                assert!(!text.contains(gone), "{} still holds {gone}", resume.file);
            }
            for there in [person.email, person.phone, person.home, person.form[0], person.form[3]] {
                assert!(text.contains(there), "{} lacks {there}", resume.file);
            }
        }
    }
    assert!(RESUMES.iter().all(|resume| {
        sample::files(&paths::sample_resumes()).iter().any(|path| sample::name(path) == resume.file)
    }));
}
