// rust_test.c: Rust's names, as binutils' c++filt writes them.
#include "report/rust.h"

#include "tests/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// From the libraries of rustc itself: every kind of path, type and constant.
static const char *const names[] = {
    "_RINvMNtCsjIUmS8oqZpq_17rustc_stable_hash6sip128NtB3_12SipHasher12826short_write_process"
    "_bufferKj8_ECsjyvvofjlheH_10rustc_span",
    "_RINvNtCsjrHSEGnQ3l9_3std2io24uninlined_slow_read_byteINtNtNtB2_8buffered9bufreader9BufR"
    "eaderRNtNtB4_2fs4FileEECs5FxD4tM6viY_14rustc_metadata",
    "_RNvMNtNtNtCseU4TY5EZiJk_6object5write3elf6writerNtB2_6Writer9pad_until",
    "_RNvMs2_NtCscIwPYOtvdob_6object5writeNtB5_7Section11append_data",
    "_RNvMs3_NtCsbEht8wFNRx7_5alloc7raw_vecINtB5_6RawVecTOhFUKCBN_EuENtNtCsi4IsKQVxMg0_3std5a"
    "lloc6SystemE8grow_oneB13_",
    "_RNvMs3_NtCslxDpE5NoPy4_22rustc_pattern_analysis11constructorNtB5_5Slice3new",
    "_RNvMs3_NtNtCslNYArtu3iFV_5alloc11collections9vec_dequeINtB5_8VecDequehE4growCsfLFQSdLlZ"
    "5Q_8zerotrie",
    "_RNvMs6_NtNtCs6AiuYGWa2VK_6ruzstd5huff013huff0_decoderNtB5_14HuffmanDecoder10init_state",
    "_RNvMs6_NtNtNtCs6O6TnIPaRGP_6object4read2pe7sectionNtNtNtB9_4coff7section12SectionTable1"
    "8section_containing",
    "_RNvMsn_NtCslNYArtu3iFV_5alloc4syncINtB5_3ArcDNtNtNtCs6mNkMfao1uC_12aho_corasick4util9pr"
    "efilter10PrefilterIEL_E9drop_slowBN_",
    "_RNvMst_NtCsblJBSCBpB7e_9rustc_ast3astNtB5_4Expr26optionally_braced_mac_call",
    "_RNvNCNKNvNCNvNtCsaWJV4NmYLqe_18rustc_attr_parsing7context17ATTRIBUTE_PARSERS0s1o_12STAT"
    "E_OBJECT0023___RUST_STD_INTERNAL_VAL",
    "_RNvNCNKNvNCNvNtCsaWJV4NmYLqe_18rustc_attr_parsing7context17ATTRIBUTE_PARSERS0sa_12STATE"
    "_OBJECT0s_023___RUST_STD_INTERNAL_VAL",
    "_RNvNtNtCs3TffaVLKYX7_13rustc_session7options6dbopts8autodiff",
    "_RNvNtNtCs6d7GoaNTBIz_10std_detect6detect5cache21detect_and_initialize",
    "_RNvNvNCNvNtCslKGqiwnqz1t_17rustc_codegen_ssa3mir11codegen_mirs2_010___CALLSITE4META",
    "_RNvNvNvMsa_NtNtCs50vtQ9z3K53_16rustc_const_eval9interpret5placeINtNtBb_12eval_context8I"
    "nterpCxpE19copy_op_no_validates_10___CALLSITE4META",
    "_RNvXNtNtNtCsaKdFadCGQuc_21rustc_trait_selection6traits5query19evaluate_obligationNtNtCs"
    "8rHf3KbkKtP_11rustc_infer5infer9InferCtxtNtB2_12InferCtxtExt18predicate_may_hold",
    "_RNvXs0_NtNtCs3mGeJnCsQZy_18rustc_hir_analysis7collect18resolve_bound_varsNtB5_15BoundVa"
    "rContextNtNtCsdlM2EbGYIhh_9rustc_hir10intravisit7Visitor15visit_impl_item",
    "_RNvXs4_CslGlRf1KYlTj_8indexmapNtB5_19GetDisjointMutErrorNtNtCsgEmfK2I1SDS_4core3fmt7Dis"
    "play3fmt",
    "_RNvXs7_Cs9C0zJmZm3Rv_4sha1NtB5_8Sha1CoreNtNtCsgEmfK2I1SDS_4core3fmt5Debug3fmt",
    "_RNvXsB_NtCsa4mAjElOM1d_10rustc_lint7builtinNtB5_9WhileTrueNtCslygSmFDqLDp_15rustc_lint_"
    "defs8LintPass9get_lints",
    "_RNvXs_NtCsky3OKBjr922_21rustc_symbol_mangling6legacyNtB4_19LegacySymbolManglerNtNtNtCsd"
    "adwybgsbvk_12rustc_middle2ty5print7Printer11print_const",
    "_RNvXsb_NvNtNtCsdLG89JKhSKy_16rustc_sanitizers3cfi6typeid1__NtB5_16InternalBitFlagsNtNtN"
    "tCs8NwYtU1Mohg_4core3str6traits7FromStr8from_str",
    "_RNvXse_NtCs68qAB42htbb_12nu_ansi_term3rgbfINtNtNtCs8NwYtU1Mohg_4core3ops5arith3MulNtB5_"
    "3RgbE3mul",
    "_RNvXsg_NvNtNtCsdLG89JKhSKy_16rustc_sanitizers3cfi6typeid1__NtB5_16InternalBitFlagsNtNtC"
    "s8NwYtU1Mohg_4core3fmt6Binary3fmt",
};

static bool demangles_to(const char *mangled, const char *plain)
{
    char *got = rust_demangle(mangled);
    bool same = got != NULL && strcmp(got, plain) == 0;
    free(got);
    return same;
}

TEST(v0)
{
    CHECK(demangles_to("_RNvC6_123foo3bar", "123foo::bar"));
    CHECK(demangles_to("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_",
                       "cc::spawn::{closure#0}::{closure#0}"));
    CHECK(demangles_to("_RINvCs6GmmlP4bgsG_1r4fillyEB2_", "r::fill::<u64>"));
    CHECK(demangles_to("_RNvC1a4main.llvm.123", "a::main"));
    CHECK(demangles_to("_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_"
                       "5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
                       "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>"));
}

// c++filt leaves hashes and types of constants in: "core[c1f1a4ba060b9bfa]", "4: usize".
static void plainer(char *line)
{
    char *to = line;
    for (const char *at = line; *at != 0 && *at != '\n';) {
        size_t hash = *at == '[' ? strspn(at + 1, "0123456789abcdef") : 0;
        if (hash > 7 && at[hash + 1] == ']') {
            at += hash + 2;
        } else if (at[0] == ':' && at[1] == ' ' && to > line && isalnum((u8)to[-1])) {
            at += 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789");
        } else {
            *to++ = *at++;
        }
    }
    *to = 0;
}

TEST(as_binutils)
{
    for (size_t i = 0; i < countof(names); i++) {
        char command[1200], line[8192] = "";
        snprintf(command, sizeof command, "c++filt '%s' 2>/dev/null", names[i]);
        FILE *p = popen(command, "r");
        bool read = fgets(line, sizeof line, p) != NULL;
        if (pclose(p) != 0 || !read)
            return; // no binutils here
        plainer(line);
        if (!demangles_to(names[i], line))
            printf("# %s\n# %s\n", names[i], line);
        CHECK(demangles_to(names[i], line));
    }
}

TEST(hostile)
{
    CHECK(rust_demangle("_R") == NULL);
    CHECK(rust_demangle("_RNvC1a") == NULL);
    CHECK(rust_demangle("_ZN1a1bE") == NULL);
    CHECK(rust_demangle("_RNvB_1a") == NULL);                    // points to itself
    CHECK(rust_demangle("_RC99999999999999999999999a") == NULL); // longer than it is
    CHECK(rust_demangle("_RIC1aKj1") == NULL);
    char deep[5000] = "_R";
    memset(deep + 2, 'N', sizeof deep - 3);
    CHECK(rust_demangle(deep) == NULL);
    // Every name cut short at every place: nothing but an answer.
    for (size_t i = 0; i < countof(names); i++) {
        char *copy = strdup(names[i]);
        for (size_t n = strlen(copy); n-- > 0;) {
            copy[n] = 0;
            free(rust_demangle(copy));
        }
        free(copy);
    }
}

TEST(older_names)
{
    char a[] = "_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..iter..FromIterator$LT$T$GT$$GT$::"
               "from_iter::"
               "h741c9bf99f83a5ce";
    CHECK(rust_unescape(a));
    CHECK(strcmp(a, "<alloc::vec::Vec<T> as core::iter::FromIterator<T>>::from_iter") == 0);
    char b[] = "std::rt::lang_start::_$u7b$$u7b$closure$u7d$$u7d$::ha86af84d9cc65291";
    CHECK(rust_unescape(b));
    CHECK(strcmp(b, "std::rt::lang_start::{{closure}}") == 0);
    char c[] = "std::vector<int>::push_back(int const&)";
    CHECK(!rust_unescape(c));
    CHECK(strcmp(c, "std::vector<int>::push_back(int const&)") == 0);
    char d[] = "::h741c9bf99f83a5ce";
    CHECK(!rust_unescape(d));
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
