<#-- The parent's place for texts below the form. Whom to ask stands where people cannot get on by themselves. -->
<#macro content>
  <#if pageId == "login-update-password" || pageId == "register">
    <p class="site-note" id="site-password-hint">${msg("passwordHint", properties.passwordLength)}</p>
  <#elseif pageId == "login" || pageId == "error">
    <#if properties.contact?has_content>
      <#assign around = msg((pageId == "login")?then("askForAccount", "askForHelp"), "|")?split("|")>
      <p class="site-note" id="site-contact">
        <#if pageId == "login">${msg("registrationClosed")} </#if>${around[0]}<#if properties.contact?contains("@") && !properties.contact?contains(" ")><a href="mailto:${properties.contact}">${properties.contact}</a><#else><strong>${properties.contact}</strong></#if>${around[1]!}
      </p>
    <#elseif pageId == "login">
      <p class="site-note" id="site-contact">${msg("registrationClosed")}</p>
    </#if>
  </#if>
</#macro>
